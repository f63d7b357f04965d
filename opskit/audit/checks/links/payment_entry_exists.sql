-- id: links.payment_entry_exists
-- catalogue: LNK-01
-- severity: high
-- title: The ledger entry a payment names exists
-- criterion: Each payment's ledger_sk is the sort key of an entry in the same account.
-- remedy: Look for the entry under the account's other keys and in a point-in-time restore; a lost entry leaves the counters without their evidence.
-- population: SELECT count(*) FROM payments WHERE ledger_sk IS NOT NULL
SELECT
    account,
    sk AS key,
    'the payment names an entry that is not there' AS condition,
    ledger_sk,
    status,
    amount_cents,
    currency
FROM payment_links
WHERE ledger_sk IS NOT NULL AND NOT has_entry
