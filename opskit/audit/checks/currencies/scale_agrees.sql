-- id: currencies.scale_agrees
-- catalogue: CUR-02
-- severity: high
-- title: Amounts are in the currency's own minor unit
-- criterion: An entry's amount is not ten, a hundred or a thousand times its event's amount, or a fraction of it so. A Stripe amount in ISK or UGX ends in 00, one in a three-decimal currency in 0.
-- remedy: The amount was scaled by another currency's decimals; have the entry corrected to the event's amount.
-- population: SELECT count(*) FROM entries WHERE coalesce(event_amount, ccbill_billed_amount) IS NOT NULL OR stripe_payment_intent_id IS NOT NULL
-- empty: no entry carries an event's amount or a Stripe id
-- scope: item
WITH stated AS (
    SELECT
        entries.account,
        entries.sk,
        entries.type,
        entries.amount_cents,
        entries.stripe_payment_intent_id,
        upper(coalesce(event_currency, meta_currency, balances.currency)) AS currency,
        TRY_CAST(coalesce(event_amount, ccbill_billed_amount) AS DECIMAL(18, 3)) AS major
    FROM entries
    LEFT JOIN balances USING (layout, account)
    WHERE entries.amount_cents <> 0
        AND (coalesce(event_amount, ccbill_billed_amount) IS NOT NULL
            OR stripe_payment_intent_id IS NOT NULL)
),
scaled AS (
    SELECT
        stated.*,
        coalesce(decimals, 2) AS places,
        CAST(major * CASE coalesce(decimals, 2) WHEN 0 THEN 1 WHEN 2 THEN 100 ELSE 1000 END
            AS BIGINT) AS event_amount
    FROM stated LEFT JOIN currency_decimals USING (currency)
)
SELECT
    account,
    sk AS key,
    CASE WHEN major IS NULL THEN 'Stripe has no such amount in this currency'
        ELSE 'the amount is its event''s, scaled' END AS condition,
    currency,
    amount_cents,
    event_amount
FROM scaled
WHERE amount_cents IN (event_amount * 10, event_amount * 100, event_amount * 1000)
    OR event_amount IN (amount_cents * 10, amount_cents * 100, amount_cents * 1000)
    OR (type = 'credit' AND stripe_payment_intent_id IS NOT NULL AND (
        (currency IN ('ISK', 'UGX') AND amount_cents % 100 <> 0)
        OR (places = 3 AND amount_cents % 10 <> 0)))
