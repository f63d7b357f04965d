-- id: duplicates.event_once
-- catalogue: DUP-01
-- severity: critical
-- title: A processor's event is applied once
-- criterion: No two entries come from the same event: the same event id, or the same CCBill event type, transaction and amount.
-- remedy: The event was delivered twice and both were posted; have all but one entry reversed.
-- population: SELECT count(*) FROM entries WHERE event_id IS NOT NULL OR (ccbill_event_type IS NOT NULL AND ccbill_transaction_id IS NOT NULL)
-- empty: no entry says which event it comes from
WITH events AS (
    SELECT layout, account, sk, ts, amount_cents, event_id AS event
    FROM entries WHERE event_id IS NOT NULL
    UNION ALL
    SELECT layout, account, sk, ts, amount_cents,
        concat_ws(' ', ccbill_event_type, ccbill_transaction_id, amount_cents)
    FROM entries WHERE ccbill_event_type IS NOT NULL AND ccbill_transaction_id IS NOT NULL
),
repeated AS (
    SELECT event FROM events GROUP BY event HAVING count(*) > 1
),
gathered AS (
    SELECT
        event,
        list(sk ORDER BY ts, sk, account) AS keys,
        list(account ORDER BY ts, sk, account) AS accounts,
        list(amount_cents ORDER BY ts, sk, account) AS amounts
    FROM events
    SEMI JOIN repeated USING (event)
    GROUP BY event
)
SELECT
    accounts[1] AS account,
    keys[1] AS key,
    concat(len(keys), ' entries come from one event') AS condition,
    event,
    keys,
    accounts,
    amounts
FROM gathered
