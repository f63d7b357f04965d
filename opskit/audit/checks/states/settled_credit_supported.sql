-- id: states.settled_credit_supported
-- catalogue: STA-03
-- severity: high
-- title: A settled credit has something to show for it
-- criterion: Each settled credit carries a processor's id of the payment, or a payment names it, or its reason is one agreed to be manual.
-- remedy: Ask who posted it; money that no processor knows of was probably never received.
-- population: SELECT count(*) FROM entries WHERE type = 'credit' AND state = 'settled'
-- parameters: manual_reasons TEXT =
-- empty: no credit is settled
SELECT
    account,
    sk AS key,
    'the credit is settled, carries no processor id and no payment names it' AS condition,
    reason,
    amount_cents,
    idempotency_key
FROM unnamed_credits
WHERE state = 'settled'
    AND coalesce(stripe_payment_intent_id, stripe_charge_id, paypal_order_id, paypal_capture_id,
        ccbill_transaction_id) IS NULL
    AND NOT list_contains(string_split($manual_reasons, ','), coalesce(reason, ''))
