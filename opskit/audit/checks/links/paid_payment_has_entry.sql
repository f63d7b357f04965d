-- id: links.paid_payment_has_entry
-- catalogue: LNK-02
-- severity: high
-- title: A payment that succeeded names its ledger entry
-- criterion: Each payment that is succeeded or paid has a ledger_sk; subscription charges have none by design.
-- remedy: Look for the entry by the payment's processor id; without one the money was taken and never posted.
-- population: SELECT count(*) FROM payments WHERE status IN ('succeeded', 'paid') AND kind IS DISTINCT FROM 'subscription_charge'
-- empty: no payment succeeded
SELECT
    account,
    sk AS key,
    'the payment succeeded and names no ledger entry' AS condition,
    status,
    kind,
    amount_cents,
    currency
FROM payments
WHERE status IN ('succeeded', 'paid')
    AND kind IS DISTINCT FROM 'subscription_charge'
    AND ledger_sk IS NULL
