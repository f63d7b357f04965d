-- id: balances.credit_within_limit
-- catalogue: BAL-06
-- severity: medium
-- title: No account has paid more than it owed
-- criterion: What an account paid towards its balance (reasons payment and pay_balance) does not exceed what it was ever due, beyond the limit. One-time credits, subscriptions and captured webhooks have no debit by design and do not count.
-- remedy: Find the payment made twice or too large and refund it, or agree that the customer holds a credit.
-- population: SELECT count(DISTINCT (layout, account)) FROM postings WHERE type = 'credit' AND state = 'settled' AND reason IN ('payment', 'pay_balance')
-- parameters: credit_limit INTEGER = 0
-- empty: no account has paid towards its balance
WITH paid AS (
    SELECT layout, account, sum(amount_cents) AS amount
    FROM entries
    WHERE type = 'credit' AND state = 'settled' AND reason IN ('payment', 'pay_balance')
    GROUP BY layout, account
)
SELECT
    account,
    'BALANCE' AS key,
    'the account has paid more towards its balance than it was due' AS condition,
    currency,
    computed_owed_settled AS owed_settled,
    CAST(amount AS HUGEINT) AS paid_towards_balance
FROM compared_balances
JOIN paid USING (layout, account)
WHERE amount - computed_owed_settled > $credit_limit
