-- id: links.amounts_agree
-- catalogue: LNK-06
-- severity: high
-- title: A payment and its ledger entry are of one amount
-- criterion: The payment's amount equals the amount of the entry it names.
-- remedy: The processor's record of the payment says which amount moved; a partial capture needs an adjustment beside it.
-- population: SELECT count(*) FROM payments JOIN entries ON entries.layout = payments.layout AND entries.account = payments.account AND entries.sk = payments.ledger_sk WHERE payments.amount_cents IS NOT NULL AND entries.amount_cents IS NOT NULL
SELECT
    payments.account,
    payments.sk AS key,
    'the payment and its entry differ in amount' AS condition,
    payments.ledger_sk,
    payments.currency,
    payments.amount_cents AS payment_amount,
    entries.amount_cents AS entry_amount,
    payments.amount_cents - entries.amount_cents AS difference
FROM payments
JOIN entries
    ON entries.layout = payments.layout
    AND entries.account = payments.account
    AND entries.sk = payments.ledger_sk
WHERE payments.amount_cents <> entries.amount_cents
