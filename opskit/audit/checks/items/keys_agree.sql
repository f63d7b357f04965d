-- id: items.keys_agree
-- catalogue: SCH-03
-- severity: medium
-- title: An item's sort key names the id it carries
-- criterion: PAY#, PM# and SUB# are followed by the payment's, method's or subscription's own id of the same item.
-- remedy: Look at what wrote the item; links by key and links by id now lead to different places.
-- population: SELECT count(*) FROM items WHERE kind IN ('payments', 'payment_methods', 'subscriptions')
-- scope: item
WITH keyed AS (
    SELECT account, sk, 'PAY#' AS prefix, payment_intent_id AS a, external_id AS b,
        transaction_id AS c
    FROM payments
    UNION ALL
    SELECT account, sk, 'PM#', payment_method_id, payment_token_id, NULL FROM payment_methods
    UNION ALL
    SELECT account, sk, 'SUB#', subscription_id, NULL, NULL FROM subscriptions
)
SELECT
    account,
    sk AS key,
    CASE WHEN coalesce(a, b, c) IS NULL THEN 'the item does not carry the id its key names'
        ELSE 'the item carries another id than its key names' END AS condition,
    coalesce(a, b, c) AS id
FROM keyed
WHERE sk <> concat(prefix, coalesce(a, ''))
    AND sk <> concat(prefix, coalesce(b, ''))
    AND sk <> concat(prefix, coalesce(c, ''))
