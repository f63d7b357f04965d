-- id: analytics.pending_age
-- catalogue: ANA-05
-- severity: info
-- title: Accounts with debits pending for long
-- criterion: No debit stays pending longer than the given days. Credits are judged by states.pending_not_stuck.
-- remedy: See what would settle the debit; it is in no amount due until then.
-- population: SELECT count(*) FROM entries WHERE type = 'debit' AND state = 'pending'
-- parameters: pending_days INTEGER = 30
-- empty: no debit is pending
WITH waiting AS (
    SELECT layout, account, min(sk) AS sk, count(*) AS debits, sum(amount_cents) AS amount
    FROM entries, clock
    WHERE type = 'debit' AND state = 'pending'
        AND ts < as_of - CAST($pending_days AS BIGINT) * 86400
    GROUP BY layout, account
)
SELECT
    account,
    sk AS key,
    concat(debits, CASE debits WHEN 1 THEN ' debit has' ELSE ' debits have' END,
        ' been pending for more than ', CAST($pending_days AS VARCHAR),
        CASE $pending_days WHEN 1 THEN ' day' ELSE ' days' END) AS condition,
    currency,
    CAST(amount AS HUGEINT) AS amount
FROM waiting
LEFT JOIN account_currencies USING (layout, account)
