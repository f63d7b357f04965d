-- id: states.payment_not_regressed
-- catalogue: STA-07
-- severity: medium
-- title: No payment is still under way whose entry is settled
-- criterion: A payment that names a settled entry has left processing.
-- remedy: Its last write was lost or came out of order; the processor's status decides.
-- population: SELECT count(*) FROM linked_payments WHERE entry_state = 'settled'
-- empty: no payment names a settled entry
SELECT
    account,
    sk AS key,
    concat('the payment is ', status, ' and its entry is settled') AS condition,
    status,
    ledger_sk,
    charge_id,
    amount_cents,
    currency
FROM linked_payments
WHERE entry_state = 'settled'
    AND status IN ('processing', 'requires_action', 'requires_confirmation',
        'requires_capture', 'pending', 'approved')
