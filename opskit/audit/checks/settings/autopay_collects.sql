-- id: settings.autopay_collects
-- catalogue: SET-01
-- severity: low
-- title: Accounts on autopay that nothing was tried for
-- criterion: Where autopay is on and something is due, a payment was tried since the last debit, within the days given. When autopay runs is not in the tables, so this is noted and never a fault.
-- remedy: See whether the autopay job ran, and what it said about the account.
-- population: SELECT count(*) FROM settings WHERE autopay_enabled
-- parameters: autopay_days INTEGER = 30
-- empty: autopay is on for nobody
WITH last_times AS (
    SELECT
        layout,
        account,
        max(ts) FILTER (WHERE type <> 'credit' AND state = 'settled') AS owed_at,
        max(ts) FILTER (WHERE type = 'credit') AS tried_at
    FROM entries
    GROUP BY layout, account
)
SELECT
    settings.account,
    settings.sk AS key,
    'noted' AS outcome,
    'autopay is on, something is due and no payment was tried since' AS condition,
    balances.currency,
    computed_owed_settled - computed_payments_settled AS due_settled,
    owed_at,
    tried_at
FROM settings
CROSS JOIN clock
JOIN compared_balances AS balances USING (layout, account)
JOIN last_times USING (layout, account)
WHERE autopay_enabled
    AND computed_owed_settled > computed_payments_settled
    AND owed_at < as_of - CAST($autopay_days AS BIGINT) * 86400
    AND (tried_at IS NULL OR tried_at < owed_at)
