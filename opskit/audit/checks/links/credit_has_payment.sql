-- id: links.credit_has_payment
-- catalogue: LNK-03
-- severity: high
-- title: A credit that counts has its payment
-- criterion: Each pending or settled credit older than the window is named by a payment. Captured webhooks have no payment by design; settled credits without any processor id are judged by states.settled_credit_supported.
-- remedy: Ask the processor about the credit's id or amount: the payment record was lost in a crash, or the money never moved.
-- population: SELECT count(*) FROM entries WHERE type = 'credit' AND state IN ('pending', 'settled') AND reason IS DISTINCT FROM 'paypal_capture_webhook'
-- parameters: orphan_window INTEGER = 86400
-- empty: no credit counts
WITH identified AS (
    SELECT DISTINCT layout, account, sk FROM processor_ids WHERE kind = 'entries'
),
known_to_payments AS (
    SELECT DISTINCT mine.layout, mine.account, mine.sk
    FROM processor_ids AS mine
    JOIN processor_ids AS theirs USING (id, field, account, layout)
    WHERE mine.kind = 'entries' AND theirs.kind = 'payments'
        AND theirs.entry_sk IS DISTINCT FROM mine.sk
)
SELECT
    entries.account,
    entries.sk AS key,
    'no payment names this credit' AS condition,
    entries.state,
    entries.reason,
    entries.amount_cents,
    entries.stripe_payment_intent_id,
    entries.ccbill_transaction_id,
    entries.idempotency_key
FROM entries
CROSS JOIN clock
LEFT JOIN identified USING (layout, account, sk)
ANTI JOIN payments
    ON payments.layout = entries.layout
    AND payments.account = entries.account
    AND payments.ledger_sk = entries.sk
ANTI JOIN known_to_payments
    ON known_to_payments.layout = entries.layout
    AND known_to_payments.account = entries.account
    AND known_to_payments.sk = entries.sk
WHERE entries.type = 'credit'
    AND entries.state IN ('pending', 'settled')
    AND (entries.state = 'pending' OR identified.sk IS NOT NULL)
    AND entries.reason IS DISTINCT FROM 'paypal_capture_webhook'
    AND entries.ts <= clock.as_of - $orphan_window
