-- id: links.amounts_agree
-- catalogue: LNK-06
-- severity: high
-- title: A payment and its ledger entry are of one amount
-- criterion: The payment's amount equals the amount of the entry it names.
-- remedy: The processor's record of the payment says which amount moved; a partial capture needs an adjustment beside it.
-- population: SELECT count(*) FROM linked_payments WHERE amount_cents IS NOT NULL AND entry_amount_cents IS NOT NULL
SELECT
    account,
    sk AS key,
    'the payment and its entry differ in amount' AS condition,
    ledger_sk,
    currency,
    amount_cents AS payment_amount,
    entry_amount_cents AS entry_amount,
    amount_cents - entry_amount_cents AS difference
FROM linked_payments
WHERE amount_cents <> entry_amount_cents
