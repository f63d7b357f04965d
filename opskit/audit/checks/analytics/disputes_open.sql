-- id: analytics.disputes_open
-- catalogue: STA-06
-- severity: info
-- title: Disputes that have been open for long
-- criterion: Funds withdrawn for a dispute are given back or given up within the given days; a lost dispute leaves no entry.
-- remedy: Ask the processor how the dispute ended.
-- population: SELECT count(*) FROM reversals WHERE reason = 'dispute_funds_withdrawn'
-- parameters: open_days INTEGER = 120
-- empty: no payment was disputed
WITH disputes AS (
    SELECT
        layout,
        account,
        sk,
        ts,
        reason,
        dispute_id,
        amount_cents,
        coalesce(stripe_payment_intent_id, stripe_charge_id, dispute_id) AS payment
    FROM reversals
    WHERE reason IN ('dispute_funds_withdrawn', 'dispute_funds_reinstated')
)
SELECT
    account,
    sk AS key,
    concat('the dispute has been open for more than ', CAST($open_days AS VARCHAR),
        CASE $open_days WHEN 1 THEN ' day' ELSE ' days' END) AS condition,
    dispute_id,
    amount_cents
FROM disputes
CROSS JOIN clock
ANTI JOIN (SELECT layout, account, payment FROM disputes
        WHERE reason = 'dispute_funds_reinstated') AS given_back
    ON given_back.layout = disputes.layout
    AND given_back.account = disputes.account
    AND given_back.payment = disputes.payment
WHERE reason = 'dispute_funds_withdrawn'
    AND ts < as_of - CAST($open_days AS BIGINT) * 86400
