-- id: subscriptions.one_active_per_plan
-- catalogue: SUB-02
-- severity: low
-- title: Accounts with several active subscriptions of one plan
-- criterion: An account has one active subscription of a plan. The service does not forbid more, so this is noted and never a fault.
-- remedy: Ask the customer; whoever signed up again after losing sight of the first pays twice.
-- population: SELECT count(DISTINCT (layout, account, plan_id)) FROM subscriptions WHERE status = 'active'
-- empty: no subscription is active
SELECT
    account,
    '' AS key,
    'noted' AS outcome,
    concat(count(*), ' subscriptions of one plan are active') AS condition,
    plan_id,
    list(sk ORDER BY sk) AS subscriptions
FROM subscriptions
WHERE status = 'active' AND plan_id IS NOT NULL
GROUP BY layout, account, plan_id
HAVING count(*) > 1
