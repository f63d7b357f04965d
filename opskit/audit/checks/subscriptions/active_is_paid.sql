-- id: subscriptions.active_is_paid
-- catalogue: SUB-01
-- severity: high
-- title: The last payment of an active subscription was made
-- criterion: The payment an active subscription names as its last did not fail, and its ledger entry is not reversed. A PayPal subscription's payments may be known to the processor alone, so a missing one is not judged.
-- remedy: The processor's record of the subscription decides whether it is to be suspended.
-- population: SELECT count(*) FROM subscriptions WHERE status = 'active' AND coalesce(last_transaction_id, last_external_id) IS NOT NULL
-- empty: no active subscription names its last payment
SELECT
    subscriptions.account,
    subscriptions.sk AS key,
    CASE WHEN payments.sk IS NULL THEN 'the last payment of the active subscription is not there'
        WHEN entries.state = 'reversed'
            THEN 'the last payment of the active subscription is reversed'
        ELSE concat('the last payment of the active subscription is ', payments.status)
        END AS condition,
    subscriptions.plan_id,
    coalesce(subscriptions.last_transaction_id, subscriptions.last_external_id) AS last_payment,
    payments.status AS payment_status,
    entries.sk AS entry,
    entries.state AS entry_state
FROM subscriptions
LEFT JOIN payments
    ON payments.layout = subscriptions.layout
    AND payments.account = subscriptions.account
    AND payments.sk = concat('PAY#',
        coalesce(subscriptions.last_transaction_id, subscriptions.last_external_id))
LEFT JOIN entries
    ON entries.layout = payments.layout
    AND entries.account = payments.account
    AND entries.sk = payments.ledger_sk
WHERE subscriptions.status = 'active'
    AND coalesce(subscriptions.last_transaction_id, subscriptions.last_external_id) IS NOT NULL
    AND (
        (payments.sk IS NULL AND subscriptions.last_transaction_id IS NOT NULL)
        OR entries.state = 'reversed'
        OR payments.status IN ('failed', 'payment_failed', 'canceled', 'requires_payment_method',
            'denied', 'declined', 'voided', 'expired')
    )
