-- id: analytics.round_adjustments
-- catalogue: ANA-02
-- severity: info
-- title: Round adjustments that are not their payment's amount
-- criterion: An adjustment that takes back part of a payment is not a multiple of the round amount.
-- remedy: See who asked for it; a round figure is often an estimate or a goodwill.
-- population: SELECT count(*) FROM reversals WHERE amount_cents > 0
-- parameters: round_amount INTEGER = 1000
-- empty: there is no adjustment
SELECT
    reversals.account,
    reversals.sk AS key,
    'the adjustment is of a round amount' AS condition,
    reversals.reason,
    reversals.amount_cents,
    originals.amount_cents AS payment_amount
FROM reversals
LEFT JOIN entries AS originals
    ON originals.layout = reversals.layout
    AND originals.account = reversals.account
    AND originals.sk = reversals.original_sk
WHERE reversals.amount_cents > 0
    AND reversals.amount_cents % $round_amount = 0
    AND reversals.amount_cents IS DISTINCT FROM originals.amount_cents
