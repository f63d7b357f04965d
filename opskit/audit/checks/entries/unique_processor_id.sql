-- id: entries.unique_processor_id
-- catalogue: DUP-02
-- severity: critical
-- title: A processor's id is on one live entry of each type and reason
-- criterion: No two entries that are not reversed share a processor id, type and reason. Refunds of several parts differ in amount or event, disputes in their own id.
-- remedy: Compare with the processor's own record of the id; all but one of the entries post money that moved once.
-- population: SELECT count(*) FROM entries WHERE coalesce(stripe_payment_intent_id, stripe_charge_id, paypal_order_id, paypal_capture_id, ccbill_transaction_id) IS NOT NULL
WITH ids AS (
    SELECT
        account,
        sk,
        ts,
        type,
        reason,
        amount_cents,
        field,
        id,
        dispute_id,
        CASE WHEN type = 'adjustment' THEN event_id END AS event,
        CASE WHEN type = 'adjustment' THEN amount_cents END AS part
    FROM shared_ids
    WHERE kind = 'entries' AND state IS DISTINCT FROM 'reversed'
),
repeated AS (
    SELECT type, reason, field, id, dispute_id, event, part FROM ids
    GROUP BY ALL HAVING count(*) > 1
),
shared AS (
    SELECT
        ids.type,
        ids.reason,
        ids.field,
        ids.id,
        list(account ORDER BY ts, sk, account) AS accounts,
        list(sk ORDER BY ts, sk, account) AS keys,
        list(amount_cents ORDER BY ts, sk, account) AS amounts
    FROM ids
    JOIN repeated
        ON repeated.field = ids.field AND repeated.id = ids.id
        AND repeated.type IS NOT DISTINCT FROM ids.type
        AND repeated.reason IS NOT DISTINCT FROM ids.reason
        AND repeated.dispute_id IS NOT DISTINCT FROM ids.dispute_id
        AND repeated.event IS NOT DISTINCT FROM ids.event
        AND repeated.part IS NOT DISTINCT FROM ids.part
    GROUP BY ids.type, ids.reason, ids.field, ids.id, ids.dispute_id, ids.event, ids.part
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
