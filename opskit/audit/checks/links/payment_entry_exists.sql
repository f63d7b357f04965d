-- id: links.payment_entry_exists
-- catalogue: LNK-01
-- severity: high
-- title: The ledger entry a payment names exists
-- criterion: Each payment's ledger_sk is the sort key of an entry in the same account.
-- remedy: Look for the entry under the account's other keys and in a point-in-time restore; a lost entry leaves the counters without their evidence.
-- population: SELECT count(*) FROM payments WHERE ledger_sk IS NOT NULL
SELECT
    payments.account,
    payments.sk AS key,
    'the payment names an entry that is not there' AS condition,
    payments.ledger_sk,
    payments.status,
    payments.amount_cents,
    payments.currency
FROM payments
ANTI JOIN entries
    ON entries.layout = payments.layout
    AND entries.account = payments.account
    AND entries.sk = payments.ledger_sk
WHERE payments.ledger_sk IS NOT NULL
