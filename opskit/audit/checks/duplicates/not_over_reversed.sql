-- id: duplicates.not_over_reversed
-- catalogue: DUP-06
-- severity: high
-- title: No more is taken back than was captured
-- criterion: The refunds, chargebacks and disputes of a payment, less what was reinstated, do not exceed its amount. An adjustment posted twice is judged by entries.unique_processor_id and counted once here.
-- remedy: Compare with the processor: a payment that was refunded and then disputed is a real loss, to be contested; anything else was posted twice.
-- population: SELECT count(DISTINCT (layout, account, original_sk)) FROM reversals WHERE original_sk IS NOT NULL
-- empty: nothing was taken back
WITH distinct_reversals AS (
    SELECT DISTINCT layout, account, original_sk, original_amount_cents, reason, amount_cents,
        dispute_id, event_id
    FROM reversals
    WHERE original_sk IS NOT NULL
),
summed AS (
    SELECT
        account,
        original_sk,
        original_amount_cents AS captured,
        sum(CASE WHEN reason = 'dispute_funds_reinstated' THEN -amount_cents
            ELSE amount_cents END) AS taken_back,
        list(reason ORDER BY reason) AS reasons
    FROM distinct_reversals
    GROUP BY layout, account, original_sk, original_amount_cents
)
SELECT
    account,
    original_sk AS key,
    'more was taken back than was captured' AS condition,
    captured,
    CAST(taken_back AS HUGEINT) AS taken_back,
    reasons
FROM summed
WHERE taken_back > captured
