-- id: times.cut_off
-- catalogue: TIM-02
-- severity: medium
-- title: Payments whose ledger entry is of another month
-- criterion: A payment and the entry it names were made in one month (UTC). The processor's own time is in no table, so the payment's stands for it; the two agree once both months are closed, so this is noted and never a fault.
-- remedy: Count the amount in the month of the processor's record, and show it as in transit in the other.
-- population: SELECT count(*) FROM linked_payments WHERE entry_ts IS NOT NULL
-- empty: no payment names an entry
WITH pairs AS (
    SELECT
        account,
        sk,
        ledger_sk,
        currency,
        entry_amount_cents AS amount_cents,
        strftime(make_timestamp(entry_ts * 1000000), '%Y-%m') AS entry_month,
        strftime(make_timestamp(created_at * 1000000), '%Y-%m') AS payment_month
    FROM linked_payments
    WHERE entry_ts BETWEEN 0 AND 9000000000 AND created_at BETWEEN 0 AND 9000000000
        AND created_at // 86400 <> entry_ts // 86400
)
SELECT
    account,
    sk AS key,
    'noted' AS outcome,
    concat('the payment is of ', payment_month, ' and its entry of ', entry_month) AS condition,
    ledger_sk,
    currency,
    amount_cents
FROM pairs
WHERE payment_month <> entry_month
