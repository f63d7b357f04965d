-- id: links.processor_id_one_account
-- catalogue: LNK-07
-- severity: critical
-- title: A processor's id is in one account only
-- criterion: No payment intent, charge, order, capture, transaction or subscription id is carried by items of two accounts.
-- remedy: The processor's record says whose it is; in the other account it posts someone else's money.
-- population: SELECT count(*) FROM processor_ids
-- empty: no item carries a processor id
WITH ids AS (
    SELECT layout, account, sk, field, id FROM shared_ids
    UNION ALL
    SELECT layout, account, sk, 'subscription_id', subscription_id FROM subscriptions
    WHERE subscription_id IS NOT NULL
    UNION ALL
    SELECT layout, account, sk, 'subscription_id', subscription_id FROM payments
    WHERE subscription_id IS NOT NULL
    UNION ALL
    SELECT layout, account, sk, 'subscription_id',
        coalesce(ccbill_subscription_id, paypal_subscription_id)
    FROM entries
    WHERE coalesce(ccbill_subscription_id, paypal_subscription_id) IS NOT NULL
),
shared AS (
    SELECT field, id FROM ids
    GROUP BY field, id HAVING min(concat(layout, account)) <> max(concat(layout, account))
),
gathered AS (
    SELECT field, id, list(DISTINCT account ORDER BY account) AS accounts,
        list(concat(account, ' ', sk) ORDER BY account, sk) AS items
    FROM ids JOIN shared USING (field, id) GROUP BY field, id
)
SELECT
    accounts[1] AS account,
    '' AS key,
    concat('items of ', len(accounts), ' accounts carry one processor id') AS condition,
    string_agg(concat(field, ' = ', id), ', ' ORDER BY field) AS processor_id,
    accounts,
    items
FROM gathered
GROUP BY accounts, items
