-- id: states.denied_not_owed
-- catalogue: STA-05
-- severity: high
-- title: A denied capture is owed only if it had been credited
-- criterion: An adjustment for a denied or declined capture takes back a settled credit of that capture.
-- remedy: The customer owes for money that was never received; have the adjustment reversed.
-- population: SELECT count(*) FROM reversals WHERE reason IN ('payment.capture.denied', 'payment.capture.declined')
-- empty: no capture was denied or declined
SELECT
    account,
    sk AS key,
    'the capture was denied and had not been credited' AS condition,
    reason,
    amount_cents,
    original_sk AS credit,
    original_state AS credit_state
FROM reversals
WHERE reason IN ('payment.capture.denied', 'payment.capture.declined')
    AND amount_cents > 0
    AND original_state IS DISTINCT FROM 'settled'
