-- id: states.payment_matches_entry
-- catalogue: STA-01
-- severity: critical
-- title: A payment's status and its entry's state say the same
-- criterion: Succeeded goes with settled, processing with pending, failed or canceled with reversed. A payment still processing beside a settled entry is judged by states.payment_not_regressed.
-- remedy: The processor's status of the payment decides; bring the one that is behind up to it, and check that the counters moved with it.
-- population: SELECT count(*) FROM linked_payments
-- empty: no payment names an entry
WITH meanings (status, state) AS (
    VALUES
        ('succeeded', 'settled'), ('paid', 'settled'), ('refunded', 'settled'),
        ('partially_refunded', 'settled'), ('disputed', 'settled'), ('charged_back', 'settled'),
        ('processing', 'pending'), ('requires_action', 'pending'),
        ('requires_confirmation', 'pending'), ('requires_capture', 'pending'),
        ('pending', 'pending'), ('approved', 'pending'),
        ('canceled', 'reversed'), ('failed', 'reversed'), ('payment_failed', 'reversed'),
        ('requires_payment_method', 'reversed'), ('denied', 'reversed'),
        ('declined', 'reversed'), ('voided', 'reversed'), ('expired', 'reversed')
)
SELECT
    account,
    sk AS key,
    CASE WHEN meanings.state IS NULL THEN 'inconclusive' ELSE 'failed' END AS outcome,
    CASE WHEN meanings.state IS NULL THEN 'the payment''s status is not one opskit knows'
        ELSE concat('the payment is ', status, ' and its entry is ', entry_state)
        END AS condition,
    status,
    entry_state AS state,
    ledger_sk,
    amount_cents,
    currency
FROM linked_payments
LEFT JOIN meanings USING (status)
WHERE status IS NOT NULL
    AND entry_state IN ('pending', 'settled', 'reversed')
    AND meanings.state IS DISTINCT FROM entry_state
    AND NOT (entry_state = 'settled' AND meanings.state IS NOT DISTINCT FROM 'pending')
