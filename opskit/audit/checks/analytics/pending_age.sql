-- id: analytics.pending_age
-- catalogue: ANA-05
-- severity: info
-- title: Accounts with debits pending for long
-- criterion: No debit stays pending longer than the given days. Credits are judged by states.pending_not_stuck.
-- remedy: See what would settle the debit; it is in no amount due until then.
-- population: SELECT count(*) FROM entries WHERE type = 'debit' AND state = 'pending'
-- parameters: pending_days INTEGER = 30
-- empty: no debit is pending
SELECT
    account,
    min(sk) AS key,
    concat(count(*), ' debits have been pending for more than ',
        CAST($pending_days AS VARCHAR), ' days') AS condition,
    CAST(sum(amount_cents) AS HUGEINT) AS amount
FROM entries, clock
WHERE type = 'debit' AND state = 'pending'
    AND ts < as_of - CAST($pending_days AS BIGINT) * 86400
GROUP BY layout, account
