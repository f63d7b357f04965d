-- id: duplicates.customer_charged_once
-- catalogue: DUP-05
-- severity: medium
-- title: No customer is charged the same amount twice in a moment
-- criterion: No two payments of one account, amount and method succeed within 90 seconds under different processor ids, unless one was taken back.
-- remedy: Ask the processor for both; a page sent twice charges twice. A customer who really bought twice is a waiver.
-- population: SELECT count(*) FROM linked_payments WHERE entry_state = 'settled'
-- parameters: repeat_seconds INTEGER = 90
-- empty: no payment names a settled entry
WITH taken_back AS (
    SELECT DISTINCT layout, account, original_sk AS sk FROM reversals
    WHERE original_sk IS NOT NULL
),
repeated AS (
    SELECT layout, account, entry_amount_cents, method FROM linked_payments
    WHERE entry_state = 'settled' AND method IS NOT NULL
    GROUP BY ALL HAVING count(*) > 1
),
charges AS (
    SELECT
        account,
        sk,
        entry_ts AS ts,
        entry_amount_cents AS amount_cents,
        currency,
        method,
        lag(sk) OVER charge AS earlier_payment,
        lag(entry_ts) OVER charge AS earlier_ts
    FROM linked_payments
    SEMI JOIN repeated USING (layout, account, entry_amount_cents, method)
    ANTI JOIN taken_back
        ON taken_back.layout = linked_payments.layout
        AND taken_back.account = linked_payments.account
        AND taken_back.sk = linked_payments.ledger_sk
    WHERE entry_state = 'settled'
    WINDOW charge AS (
        PARTITION BY layout, account, entry_amount_cents, method ORDER BY entry_ts, sk)
)
SELECT
    account,
    sk AS key,
    'the customer was charged the same amount by the same method moments before' AS condition,
    amount_cents,
    currency,
    method,
    earlier_payment,
    ts - earlier_ts AS seconds_apart
FROM charges
WHERE ts - earlier_ts <= $repeat_seconds
