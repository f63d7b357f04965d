-- id: states.payment_not_regressed
-- catalogue: STA-07
-- severity: medium
-- title: No payment is still under way whose entry is settled
-- criterion: A payment that names a settled entry has left processing.
-- remedy: Its last write was lost or came out of order; the processor's status decides.
-- population: SELECT count(*) FROM payments JOIN entries ON entries.layout = payments.layout AND entries.account = payments.account AND entries.sk = payments.ledger_sk WHERE entries.state = 'settled'
-- empty: no payment names a settled entry
SELECT
    payments.account,
    payments.sk AS key,
    concat('the payment is ', payments.status, ' and its entry is settled') AS condition,
    payments.status,
    payments.ledger_sk,
    payments.charge_id,
    payments.amount_cents,
    payments.currency
FROM payments
JOIN entries
    ON entries.layout = payments.layout
    AND entries.account = payments.account
    AND entries.sk = payments.ledger_sk
WHERE entries.state = 'settled'
    AND payments.status IN ('processing', 'requires_action', 'requires_confirmation',
        'requires_capture', 'pending', 'approved')
