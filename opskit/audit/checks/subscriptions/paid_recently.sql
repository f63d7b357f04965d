-- id: subscriptions.paid_recently
-- catalogue: SUB-01
-- severity: low
-- title: Active subscriptions that nothing was paid for lately
-- criterion: An active subscription has a payment, not taken back, within its period and grace. The tables do not hold a plan's period: it is a parameter, so this is noted and never a fault.
-- remedy: Set period_days to the longest plan's; then ask the processor whether the subscription still runs.
-- population: SELECT count(*) FROM subscriptions WHERE status = 'active'
-- parameters: period_days INTEGER = 31
-- parameters: grace_days INTEGER = 7
-- empty: no subscription is active
WITH standing AS (
    SELECT payments.layout, payments.account, payments.subscription_id,
        max(payments.created_at) AS paid_at
    FROM payments
    LEFT JOIN reversals
        ON reversals.layout = payments.layout
        AND reversals.account = payments.account
        AND reversals.original_sk = payments.ledger_sk
    WHERE payments.status IN ('succeeded', 'paid') AND reversals.sk IS NULL
    GROUP BY ALL
)
SELECT
    subscriptions.account,
    subscriptions.sk AS key,
    'noted' AS outcome,
    CASE WHEN paid_at IS NULL THEN 'no payment of the active subscription stands'
        ELSE concat('the active subscription was last paid ', (as_of - paid_at) // 86400,
            CASE (as_of - paid_at) // 86400 WHEN 1 THEN ' day' ELSE ' days' END, ' ago')
        END AS condition,
    subscriptions.plan_id,
    paid_at
FROM subscriptions
CROSS JOIN clock
LEFT JOIN standing USING (layout, account, subscription_id)
WHERE subscriptions.status = 'active'
    AND coalesce(paid_at, subscriptions.created_at)
        < as_of - CAST($period_days + $grace_days AS BIGINT) * 86400
