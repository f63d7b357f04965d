-- id: duplicates.not_over_reversed
-- catalogue: DUP-06
-- severity: high
-- title: No more is taken back than was captured
-- criterion: The refunds, chargebacks and disputes of a payment, less what was reinstated, do not exceed its amount. An adjustment posted twice is judged by entries.unique_processor_id and counted once here.
-- remedy: Compare with the processor: a payment that was refunded and then disputed is a real loss, to be contested; anything else was posted twice.
-- population: SELECT count(DISTINCT (layout, account, original_sk)) FROM reversals WHERE original_sk IS NOT NULL
-- empty: nothing was taken back
WITH distinct_reversals AS (
    SELECT DISTINCT layout, account, original_sk, reason, amount_cents, dispute_id, event_id
    FROM reversals JOIN (SELECT layout, account, sk, event_id FROM entries)
        USING (layout, account, sk)
    WHERE original_sk IS NOT NULL
),
summed AS (
    SELECT
        layout,
        account,
        original_sk,
        sum(CASE WHEN reason = 'dispute_funds_reinstated' THEN -amount_cents
            ELSE amount_cents END) AS taken_back,
        list(reason ORDER BY reason) AS reasons
    FROM distinct_reversals
    GROUP BY layout, account, original_sk
)
SELECT
    summed.account,
    original_sk AS key,
    'more was taken back than was captured' AS condition,
    entries.amount_cents AS captured,
    CAST(taken_back AS HUGEINT) AS taken_back,
    reasons
FROM summed
JOIN entries
    ON entries.layout = summed.layout
    AND entries.account = summed.account
    AND entries.sk = summed.original_sk
WHERE taken_back > entries.amount_cents
