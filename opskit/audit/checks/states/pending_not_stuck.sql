-- id: states.pending_not_stuck
-- catalogue: STA-02
-- severity: high
-- title: No credit stays pending longer than its rail takes
-- criterion: A pending credit is younger than the limit of its rail: a card, a bank debit, a PayPal order, a CCBill charge; without any of these, the longest.
-- remedy: The processor's status of the payment decides whether it is to be settled or released; its event was lost, or the customer gave up.
-- population: SELECT count(*) FROM entries WHERE type = 'credit' AND state = 'pending'
-- parameters: card_days INTEGER = 1
-- parameters: bank_days INTEGER = 10
-- parameters: paypal_days INTEGER = 3
-- parameters: ccbill_days INTEGER = 1
-- empty: no credit is pending
WITH pending AS (
    SELECT
        entries.*,
        payments.sk AS payment,
        payments.status AS payment_status,
        CASE
            WHEN ccbill_payment_token_id IS NOT NULL OR ccbill_transaction_id IS NOT NULL
                THEN 'CCBill'
            WHEN paypal_payment_token_id IS NOT NULL OR paypal_order_id IS NOT NULL
                OR paypal_capture_id IS NOT NULL THEN 'PayPal'
            WHEN payment_methods.method_type = 'card' THEN 'card'
            ELSE 'bank debit'
        END AS rail
    FROM entries
    LEFT JOIN payments
        ON payments.layout = entries.layout
        AND payments.account = entries.account
        AND payments.ledger_sk = entries.sk
    LEFT JOIN payment_methods
        ON payment_methods.layout = payments.layout
        AND payment_methods.account = payments.account
        AND payment_methods.payment_method_id = payments.payment_method_id
    WHERE entries.type = 'credit' AND entries.state = 'pending'
),
limits (rail, days) AS (
    VALUES ('card', $card_days), ('bank debit', $bank_days), ('PayPal', $paypal_days),
        ('CCBill', $ccbill_days)
)
SELECT
    account,
    sk AS key,
    concat('pending for ', (as_of - ts) // 86400,
        CASE (as_of - ts) // 86400 WHEN 1 THEN ' day' ELSE ' days' END, ' by ', rail) AS condition,
    rail,
    days AS limit_days,
    reason,
    amount_cents,
    payment,
    payment_status
FROM pending
JOIN limits USING (rail)
CROSS JOIN clock
WHERE ts < as_of - CAST(days AS BIGINT) * 86400
