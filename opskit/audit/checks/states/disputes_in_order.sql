-- id: states.disputes_in_order
-- catalogue: STA-06
-- severity: high
-- title: A dispute gives back no more than it took
-- criterion: The funds reinstated for a disputed payment do not exceed those withdrawn for it, and a dispute's id is on entries of one payment. Events may each carry an id of their own, so steps are matched by payment.
-- remedy: Compare with the processor's record of the dispute; a withdrawal was lost, or a reinstatement posted twice.
-- population: SELECT count(*) FROM reversals WHERE reason IN ('dispute_funds_withdrawn', 'dispute_funds_reinstated')
-- empty: no payment was disputed
WITH disputes AS (
    SELECT
        layout,
        account,
        sk,
        reason,
        amount_cents,
        dispute_id,
        coalesce(stripe_payment_intent_id, stripe_charge_id, original_sk, '') AS payment
    FROM reversals
    WHERE reason IN ('dispute_funds_withdrawn', 'dispute_funds_reinstated')
),
summed AS (
    SELECT
        layout,
        account,
        payment,
        max(sk) AS sk,
        coalesce(sum(amount_cents) FILTER (WHERE reason = 'dispute_funds_withdrawn'), 0)
            AS withdrawn,
        coalesce(sum(amount_cents) FILTER (WHERE reason = 'dispute_funds_reinstated'), 0)
            AS reinstated
    FROM disputes
    GROUP BY layout, account, payment
),
spread AS (
    SELECT account, max(sk) AS sk, dispute_id
    FROM disputes WHERE dispute_id IS NOT NULL
    GROUP BY layout, account, dispute_id HAVING count(DISTINCT payment) > 1
)
SELECT
    account,
    sk AS key,
    CASE WHEN withdrawn = 0 THEN 'funds were reinstated that were never withdrawn'
        ELSE 'more was reinstated than was withdrawn' END AS condition,
    payment AS dispute,
    CAST(withdrawn AS HUGEINT) AS withdrawn,
    CAST(reinstated AS HUGEINT) AS reinstated
FROM summed
WHERE reinstated > withdrawn
UNION ALL
SELECT account, sk, 'one dispute is posted for several payments', dispute_id, NULL, NULL
FROM spread
