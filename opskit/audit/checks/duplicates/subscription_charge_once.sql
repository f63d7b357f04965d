-- id: duplicates.subscription_charge_once
-- catalogue: DUP-02
-- severity: medium
-- title: A subscription is not charged twice in a day
-- criterion: No two live credits without a transaction id of their own share a subscription, amount and reason within a day. Those with one are judged by it.
-- remedy: Compare with the processor's charges of the subscription on those days.
-- population: SELECT count(*) FROM entries WHERE type = 'credit' AND state <> 'reversed' AND coalesce(ccbill_subscription_id, paypal_subscription_id) IS NOT NULL
-- parameters: apart_seconds INTEGER = 86400
-- empty: no credit names a subscription
WITH charges AS (
    SELECT
        account,
        sk,
        ts,
        reason,
        amount_cents,
        coalesce(ccbill_subscription_id, paypal_subscription_id) AS subscription,
        lag(sk) OVER charge AS earlier_entry,
        lag(ts) OVER charge AS earlier_ts
    FROM entries
    WHERE type = 'credit' AND state <> 'reversed'
        AND coalesce(ccbill_subscription_id, paypal_subscription_id) IS NOT NULL
        AND coalesce(ccbill_transaction_id, paypal_capture_id, paypal_order_id) IS NULL
    WINDOW charge AS (
        PARTITION BY layout, account, coalesce(ccbill_subscription_id, paypal_subscription_id),
            amount_cents, reason
        ORDER BY ts, sk)
)
SELECT
    account,
    sk AS key,
    'the subscription was credited the same amount within a day' AS condition,
    subscription,
    reason,
    amount_cents,
    earlier_entry
FROM charges
WHERE ts - earlier_ts <= $apart_seconds
