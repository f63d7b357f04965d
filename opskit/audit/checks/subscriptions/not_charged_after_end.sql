-- id: subscriptions.not_charged_after_end
-- catalogue: SUB-02
-- severity: high
-- title: No subscription is charged after its end
-- criterion: No settled credit of a canceled, expired or failed subscription is later than the subscription's last change and the grace.
-- remedy: Refund the charge, or put the subscription's status right; the processor's record decides.
-- population: SELECT count(*) FROM subscriptions WHERE status IN ('canceled', 'cancelled', 'expired', 'failed')
-- parameters: after_end_days INTEGER = 1
-- empty: no subscription has ended
WITH charges AS (
    SELECT layout, account, sk, ts, amount_cents,
        coalesce(ccbill_subscription_id, paypal_subscription_id) AS subscription_id
    FROM entries
    WHERE type = 'credit' AND state = 'settled'
        AND coalesce(ccbill_subscription_id, paypal_subscription_id) IS NOT NULL
    UNION
    SELECT entries.layout, entries.account, entries.sk, entries.ts, entries.amount_cents,
        payments.subscription_id
    FROM payments
    JOIN entries
        ON entries.layout = payments.layout
        AND entries.account = payments.account
        AND entries.sk = payments.ledger_sk
    WHERE payments.subscription_id IS NOT NULL
        AND entries.type = 'credit' AND entries.state = 'settled'
)
SELECT
    charges.account,
    charges.sk AS key,
    concat('charged after the subscription was ', subscriptions.status) AS condition,
    subscriptions.sk AS subscription,
    subscriptions.status,
    charges.amount_cents,
    charges.ts,
    subscriptions.updated_at AS ended_at
FROM charges
JOIN subscriptions USING (layout, account, subscription_id)
WHERE subscriptions.status IN ('canceled', 'cancelled', 'expired', 'failed')
    AND charges.ts > subscriptions.updated_at + CAST($after_end_days AS BIGINT) * 86400
