-- id: duplicates.idempotency_key_once
-- catalogue: DUP-03
-- severity: high
-- title: An idempotency key is behind one live entry
-- criterion: No two entries that are not reversed share a key, amount and reason within the time a key is good for. The service's default keys name a stretch of 30 or 300 seconds, so copies further apart are no repeat of one request; set key_seconds higher where clients send their own keys.
-- remedy: The request was sent twice; if the processor charged once, one of the entries is to be reversed.
-- population: SELECT count(*) FROM entries WHERE idempotency_key IS NOT NULL AND state <> 'reversed'
-- parameters: key_seconds INTEGER = 600
-- empty: no live entry carries an idempotency key
WITH repeated AS (
    SELECT idempotency_key FROM entries
    WHERE idempotency_key IS NOT NULL AND state <> 'reversed'
    GROUP BY idempotency_key HAVING count(*) > 1
),
keyed AS (
    SELECT
        account,
        sk,
        ts,
        reason,
        amount_cents,
        idempotency_key,
        lag(sk) OVER repeated AS earlier_entry,
        lag(ts) OVER repeated AS earlier_ts
    FROM entries
    SEMI JOIN repeated USING (idempotency_key)
    WHERE state <> 'reversed'
    WINDOW repeated AS (
        PARTITION BY layout, account, idempotency_key, amount_cents, reason ORDER BY ts, sk)
)
SELECT
    account,
    sk AS key,
    'an earlier live entry carries the same idempotency key, amount and reason' AS condition,
    idempotency_key,
    reason,
    amount_cents,
    earlier_entry
FROM keyed
WHERE ts - earlier_ts <= $key_seconds
