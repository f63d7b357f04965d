-- id: entries.unique_processor_id
-- severity: critical
-- title: A processor's id is on one live entry of each type and reason
-- criterion: No two entries that are not reversed share a processor id, type and reason.
-- remedy: Compare with the processor's own record of the id; all but one of the entries post money that moved once.
-- population: SELECT count(*) FROM entries WHERE coalesce(stripe_payment_intent_id, stripe_charge_id, paypal_order_id, paypal_capture_id, ccbill_transaction_id) IS NOT NULL
WITH live AS (
    SELECT * FROM entries WHERE state IS DISTINCT FROM 'reversed'
),
ids AS (
    SELECT account, sk, ts, type, reason, amount_cents,
        'stripe_payment_intent_id' AS field, stripe_payment_intent_id AS id FROM live
    UNION ALL SELECT account, sk, ts, type, reason, amount_cents,
        'stripe_charge_id', stripe_charge_id FROM live
    UNION ALL SELECT account, sk, ts, type, reason, amount_cents,
        'paypal_order_id', paypal_order_id FROM live
    UNION ALL SELECT account, sk, ts, type, reason, amount_cents,
        'paypal_capture_id', paypal_capture_id FROM live
    UNION ALL SELECT account, sk, ts, type, reason, amount_cents,
        'ccbill_transaction_id', ccbill_transaction_id FROM live
),
shared AS (
    SELECT
        type,
        reason,
        field,
        id,
        list(account ORDER BY ts, sk) AS accounts,
        list(sk ORDER BY ts, sk) AS keys,
        list(amount_cents ORDER BY ts, sk) AS amounts
    FROM ids
    WHERE id IS NOT NULL
    GROUP BY type, reason, field, id
    HAVING count(*) > 1
)
SELECT
    accounts[1] AS account,
    keys[1] AS key,
    concat(len(keys), ' live entries carry one processor id') AS condition,
    string_agg(concat(field, ' = ', id), ', ' ORDER BY field) AS processor_id,
    type,
    reason,
    keys,
    accounts,
    amounts
FROM shared
GROUP BY accounts, keys, amounts, type, reason
