-- id: states.payment_matches_entry
-- catalogue: STA-01
-- severity: critical
-- title: A payment's status and its entry's state say the same
-- criterion: Succeeded goes with settled, processing with pending, failed or canceled with reversed. A payment still processing beside a settled entry is judged by states.payment_not_regressed.
-- remedy: The processor's status of the payment decides; bring the one that is behind up to it, and check that the counters moved with it.
-- population: SELECT count(*) FROM payments JOIN entries ON entries.layout = payments.layout AND entries.account = payments.account AND entries.sk = payments.ledger_sk
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
    payments.account,
    payments.sk AS key,
    CASE WHEN meanings.state IS NULL THEN 'inconclusive' ELSE 'failed' END AS outcome,
    CASE WHEN meanings.state IS NULL THEN 'the payment''s status is not one opskit knows'
        ELSE concat('the payment is ', payments.status, ' and its entry is ', entries.state)
        END AS condition,
    payments.status,
    entries.state,
    payments.ledger_sk,
    payments.amount_cents,
    payments.currency
FROM payments
JOIN entries
    ON entries.layout = payments.layout
    AND entries.account = payments.account
    AND entries.sk = payments.ledger_sk
LEFT JOIN meanings ON meanings.status = payments.status
WHERE payments.status IS NOT NULL
    AND entries.state IN ('pending', 'settled', 'reversed')
    AND meanings.state IS DISTINCT FROM entries.state
    AND NOT (entries.state = 'settled' AND meanings.state IS NOT DISTINCT FROM 'pending')
