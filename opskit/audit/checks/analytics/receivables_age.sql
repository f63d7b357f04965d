-- id: analytics.receivables_age
-- catalogue: ANA-05
-- severity: info
-- title: Accounts that have owed for long
-- criterion: What was owed the given days ago is paid by now, payments covering the oldest debts first.
-- remedy: Collect, or write it off; the aged receivables show the rest.
-- population: SELECT count(*) FROM compared_balances
-- parameters: owed_days INTEGER = 90
WITH owed AS (
    SELECT layout, account, sum(owed_settled) AS amount
    FROM postings, clock
    WHERE ts < as_of - CAST($owed_days AS BIGINT) * 86400
    GROUP BY layout, account
)
SELECT
    account,
    'BALANCE' AS key,
    concat('something has been owed for more than ', CAST($owed_days AS VARCHAR),
        CASE $owed_days WHEN 1 THEN ' day' ELSE ' days' END) AS condition,
    currency,
    CAST(amount - computed_payments_settled AS HUGEINT) AS overdue
FROM compared_balances
JOIN owed USING (layout, account)
WHERE amount > computed_payments_settled
