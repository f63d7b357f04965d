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
    account,
    sk AS key,
    'the adjustment is of a round amount' AS condition,
    reason,
    amount_cents,
    original_amount_cents AS payment_amount
FROM reversals
WHERE amount_cents > 0
    AND amount_cents % $round_amount = 0
    AND amount_cents IS DISTINCT FROM original_amount_cents
