-- id: analytics.manual_entries
-- catalogue: ANA-03
-- severity: info
-- title: Entries that look as if made by hand
-- criterion: A live debit or adjustment without a processor id of a round amount has fewer than two of the other traits auditors look for: at night (before 5 o'clock UTC), at a weekend, on the last day of a month.
-- remedy: Ask who made the entry and on whose word.
-- population: SELECT count(*) FROM entries WHERE type IN ('debit', 'adjustment') AND state <> 'reversed'
-- parameters: round_to INTEGER = 1000
WITH traits AS (
    SELECT
        layout,
        account,
        sk,
        type,
        reason,
        amount_cents,
        ts // 3600 % 24 < 5 AS at_night,
        (ts // 86400 + 4) % 7 IN (0, 6) AS at_weekend,
        date_part('month', make_timestamp(ts * 1000000))
            <> date_part('month', make_timestamp((ts + 86400) * 1000000)) AS at_month_end,
        amount_cents % $round_to = 0 AS is_round
    FROM entries
    WHERE type IN ('debit', 'adjustment') AND state <> 'reversed' AND amount_cents > 0
        AND ts BETWEEN 0 AND 9000000000
        AND coalesce(stripe_payment_intent_id, stripe_charge_id, paypal_order_id,
            paypal_capture_id, ccbill_transaction_id) IS NULL
)
SELECT
    account,
    sk AS key,
    concat_ws(', ', 'no processor id', CASE WHEN at_night THEN 'at night' END,
        CASE WHEN at_weekend THEN 'at a weekend' END,
        CASE WHEN at_month_end THEN 'at the end of a month' END,
        CASE WHEN is_round THEN 'a round amount' END) AS condition,
    type,
    reason,
    amount_cents
FROM traits
WHERE is_round
    AND CAST(at_night AS INTEGER) + CAST(at_weekend AS INTEGER) + CAST(at_month_end AS INTEGER) >= 2
