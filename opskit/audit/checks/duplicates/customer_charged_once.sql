-- id: duplicates.customer_charged_once
-- catalogue: DUP-05
-- severity: medium
-- title: No customer is charged the same amount twice in a moment
-- criterion: No two payments of one account, amount and method succeed within 90 seconds under different processor ids, unless one was taken back.
-- remedy: Ask the processor for both; a page sent twice charges twice. A customer who really bought twice is a waiver.
-- population: SELECT count(*) FROM payments JOIN entries ON entries.layout = payments.layout AND entries.account = payments.account AND entries.sk = payments.ledger_sk WHERE entries.state = 'settled'
-- parameters: repeat_seconds INTEGER = 90
-- empty: no payment names a settled entry
WITH taken_back AS (
    SELECT DISTINCT layout, account, original_sk AS sk FROM reversals
    WHERE original_sk IS NOT NULL
),
charges AS (
    SELECT
        payments.account,
        payments.sk,
        entries.ts,
        entries.amount_cents,
        payments.currency,
        coalesce(payments.payment_method_id, payments.payment_token_id) AS method,
        lag(payments.sk) OVER charge AS earlier_payment,
        lag(entries.ts) OVER charge AS earlier_ts
    FROM payments
    JOIN entries
        ON entries.layout = payments.layout
        AND entries.account = payments.account
        AND entries.sk = payments.ledger_sk
    ANTI JOIN taken_back
        ON taken_back.layout = entries.layout
        AND taken_back.account = entries.account
        AND taken_back.sk = entries.sk
    WHERE entries.state = 'settled'
        AND coalesce(payments.payment_method_id, payments.payment_token_id) IS NOT NULL
    WINDOW charge AS (
        PARTITION BY payments.layout, payments.account, entries.amount_cents,
            coalesce(payments.payment_method_id, payments.payment_token_id)
        ORDER BY entries.ts, payments.sk)
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
