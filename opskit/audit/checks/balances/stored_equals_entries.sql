-- id: balances.stored_equals_entries
-- catalogue: BAL-01
-- severity: critical
-- title: Each stored counter equals what the account's entries add up to
-- criterion: For each of the four counters, stored minus the sum of the posting rules over the account's entries is zero, to the minor unit.
-- remedy: Trace the difference to the posting that was missed, repeated or half done; correct the counter by a conditional update that names the old values. Do not change entries.
-- population: SELECT count(*) FROM compared_balances
-- unjudged: SELECT account FROM unjudged_accounts
SELECT
    account,
    'BALANCE' AS key,
    'the stored counters differ from the entries' AS condition,
    currency,
    entries,
    CASE WHEN NOT has_balance THEN 'absent, read as zeros' END AS balance_item,
    stored_owed_pending AS "stored.owed_pending",
    stored_owed_settled AS "stored.owed_settled",
    stored_payments_pending AS "stored.payments_pending",
    stored_payments_settled AS "stored.payments_settled",
    computed_owed_pending AS "computed.owed_pending",
    computed_owed_settled AS "computed.owed_settled",
    computed_payments_pending AS "computed.payments_pending",
    computed_payments_settled AS "computed.payments_settled",
    nullif(drift_owed_pending, 0) AS "drift.owed_pending",
    nullif(drift_owed_settled, 0) AS "drift.owed_settled",
    nullif(drift_payments_pending, 0) AS "drift.payments_pending",
    nullif(drift_payments_settled, 0) AS "drift.payments_settled"
FROM compared_balances
WHERE drift_owed_pending <> 0 OR drift_owed_settled <> 0
    OR drift_payments_pending <> 0 OR drift_payments_settled <> 0
