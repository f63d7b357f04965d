-- id: balances.present
-- catalogue: BAL-03
-- severity: high
-- title: An account has a BALANCE exactly when its entries call for one
-- criterion: An account whose entries move money has a BALANCE item, and a BALANCE that is not zero has entries.
-- remedy: Find out which of the two was lost; a point-in-time restore to another table shows what stood there.
-- population: SELECT count(*) FROM compared_balances
-- unjudged: SELECT account FROM unjudged_accounts
SELECT
    account,
    'BALANCE' AS key,
    CASE WHEN has_balance THEN 'the BALANCE is not zero but the account has no entries'
        ELSE 'the entries move money but the account has no BALANCE' END AS condition,
    currency,
    entries
FROM compared_balances
WHERE (NOT has_balance AND posted > 0)
    OR (has_balance AND entries = 0 AND (
        stored_owed_pending <> 0 OR stored_owed_settled <> 0
        OR stored_payments_pending <> 0 OR stored_payments_settled <> 0))
