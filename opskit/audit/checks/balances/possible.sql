-- id: balances.possible
-- catalogue: BAL-02
-- severity: high
-- title: No stored counter is impossibly negative
-- criterion: Payments and pending debits are never below zero; settled debits are below zero only by what reinstated disputes took off.
-- remedy: Look for a release or a settlement that was applied twice, or to an account that never had it.
-- population: SELECT count(*) FROM balances
WITH reinstated AS (
    SELECT layout, account, -sum(owed_settled) AS amount
    FROM postings WHERE rule = 'adjustment_reinstated'
    GROUP BY layout, account
)
SELECT
    account,
    sk AS key,
    'a stored counter is negative' AS condition,
    currency,
    CASE WHEN owed_pending_cents < 0 THEN owed_pending_cents END AS "negative.owed_pending",
    CASE WHEN owed_settled_cents < -coalesce(amount, 0) THEN owed_settled_cents END
        AS "negative.owed_settled",
    CASE WHEN payments_pending_cents < 0 THEN payments_pending_cents END
        AS "negative.payments_pending",
    CASE WHEN payments_settled_cents < 0 THEN payments_settled_cents END
        AS "negative.payments_settled"
FROM balances
LEFT JOIN reinstated USING (layout, account)
WHERE owed_pending_cents < 0 OR payments_pending_cents < 0 OR payments_settled_cents < 0
    OR owed_settled_cents < -coalesce(amount, 0)
