-- id: links.ids_agree
-- catalogue: LNK-05
-- severity: high
-- title: A payment and its entry carry the same ids
-- criterion: Where a payment and the entry it names both carry a processor id of one kind, or a subscription's id, the two are equal.
-- remedy: The link or one of the ids was changed after the fact; the processor's record says which entry is the payment's.
-- population: SELECT count(*) FROM linked_payments
-- empty: no payment names an entry
SELECT
    payments.account,
    payments.sk AS key,
    'the payment and its entry carry different ids' AS condition,
    payments.ledger_sk,
    concat_ws(', ', payments.payment_intent_id, payments.charge_id, payments.external_id,
        payments.transaction_id, payments.subscription_id) AS payment_ids,
    concat_ws(', ', entries.stripe_payment_intent_id, entries.stripe_charge_id,
        entries.paypal_order_id, entries.ccbill_transaction_id,
        coalesce(entries.ccbill_subscription_id, entries.paypal_subscription_id)) AS entry_ids
FROM linked_payments
JOIN payments USING (layout, account, sk)
JOIN entries
    ON entries.layout = payments.layout
    AND entries.account = payments.account
    AND entries.sk = payments.ledger_sk
WHERE ids_differ
