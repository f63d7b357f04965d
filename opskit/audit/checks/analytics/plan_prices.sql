-- id: analytics.plan_prices
-- catalogue: ANA-04
-- severity: info
-- title: Subscription payments at an unusual price
-- criterion: A payment of a plan is of an amount that at least one in fifty of the plan's payments have. Judged for plans of 20 payments or more.
-- remedy: See whether a discount or a change of plan explains it.
-- population: SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM payments JOIN subscriptions USING (layout, account, subscription_id) WHERE payments.status = 'succeeded' GROUP BY plan_id, upper(currency) HAVING count(*) >= 20)
-- empty: no plan has 20 payments
WITH charges AS (
    SELECT
        payments.account,
        payments.sk,
        plan_id,
        upper(payments.currency) AS currency,
        amount_cents,
        count(*) OVER (PARTITION BY plan_id, upper(payments.currency)) AS of_plan,
        count(*) OVER (PARTITION BY plan_id, upper(payments.currency), amount_cents) AS of_price,
        mode(amount_cents ORDER BY amount_cents)
            OVER (PARTITION BY plan_id, upper(payments.currency)) AS usual_price
    FROM payments
    JOIN subscriptions USING (layout, account, subscription_id)
    WHERE payments.status = 'succeeded'
)
SELECT
    account,
    sk AS key,
    'the payment is not of one of the plan''s usual prices' AS condition,
    plan_id,
    currency,
    amount_cents,
    usual_price
FROM charges
WHERE of_plan >= 20 AND of_price * 50 < of_plan
