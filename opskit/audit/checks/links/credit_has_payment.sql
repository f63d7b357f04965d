-- id: links.credit_has_payment
-- catalogue: LNK-03
-- severity: high
-- title: A credit that counts has its payment
-- criterion: Each pending or settled credit older than the window is named by a payment. Captured webhooks have no payment by design; settled credits without any processor id are judged by states.settled_credit_supported.
-- remedy: Ask the processor about the credit's id or amount: the payment record was lost in a crash, or the money never moved.
-- population: SELECT count(*) FROM entries WHERE type = 'credit' AND state IN ('pending', 'settled') AND reason IS DISTINCT FROM 'paypal_capture_webhook'
-- parameters: orphan_window INTEGER = 86400
-- empty: no credit counts
WITH known_to_payments AS (
    SELECT mine.layout, mine.account, mine.sk
    FROM shared_ids AS mine
    JOIN shared_ids AS theirs USING (id, field, account, layout)
    WHERE mine.kind = 'entries' AND theirs.kind = 'payments'
        AND theirs.entry_sk IS DISTINCT FROM mine.sk
)
SELECT
    account,
    sk AS key,
    'no payment names this credit' AS condition,
    state,
    reason,
    amount_cents,
    stripe_payment_intent_id,
    ccbill_transaction_id,
    idempotency_key
FROM unnamed_credits
CROSS JOIN clock
ANTI JOIN known_to_payments USING (layout, account, sk)
WHERE (state = 'pending' OR coalesce(stripe_payment_intent_id, stripe_charge_id, paypal_order_id,
        paypal_capture_id, ccbill_transaction_id) IS NOT NULL)
    AND reason IS DISTINCT FROM 'paypal_capture_webhook'
    AND ts <= clock.as_of - $orphan_window
