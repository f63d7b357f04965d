-- id: webhooks.event_took_effect
-- catalogue: WHK-02
-- severity: high
-- title: An event about a credit had its effect on it
-- criterion: Where an event that was set aside names a payment that an account knows, its credit is no longer pending after a payment, and reversed or beside an adjustment after a refund, chargeback or denial. An event that was lost and not set aside leaves nothing in the tables: only the processor's list of events tells of it.
-- remedy: Find out from the processor how the payment stands, and have the event applied: its dedupe marker keeps it from being delivered again.
-- population: SELECT count(*) FROM unmatched SEMI JOIN (SELECT id FROM processor_ids WHERE entry_sk IS NOT NULL) AS known ON known.id = coalesce(json_extract_string(item, '$.event.M.resource.M.id.S'), json_extract_string(item, '$.payload.M.transactionId.S'))
-- parameters: effect_seconds INTEGER = 3600
-- empty: no event that was set aside names a payment that an account knows
WITH set_aside AS (
    SELECT
        layout,
        account AS partition,
        sk AS event_key,
        created_at AS told_at,
        coalesce(eventType, json_extract_string(item, '$.event.M.event_type.S')) AS event_type,
        coalesce(
            json_extract_string(item, '$.event.M.resource.M.id.S'),
            json_extract_string(item, '$.payload.M.transactionId.S')) AS id
    FROM unmatched
),
meanings (event_type, pays) AS (
    VALUES
        ('PAYMENT.CAPTURE.COMPLETED', true), ('PAYMENT.SALE.COMPLETED', true),
        ('NewSaleSuccess', true), ('UpSaleSuccess', true), ('UpgradeSuccess', true),
        ('CrossSaleSuccess', true), ('RenewalSuccess', true),
        ('PAYMENT.CAPTURE.REFUNDED', false), ('PAYMENT.CAPTURE.REVERSED', false),
        ('PAYMENT.CAPTURE.DENIED', false), ('PAYMENT.CAPTURE.DECLINED', false),
        ('PAYMENT.SALE.REFUNDED', false), ('PAYMENT.SALE.REVERSED', false),
        ('Refund', false), ('Chargeback', false), ('Void', false), ('Return', false)
),
told AS (
    SELECT DISTINCT set_aside.*, pays, known.account, known.entry_sk
    FROM set_aside
    JOIN meanings USING (event_type)
    JOIN processor_ids AS known USING (layout, id)
    CROSS JOIN clock
    WHERE known.entry_sk IS NOT NULL AND told_at <= as_of - $effect_seconds
)
SELECT
    told.account,
    told.entry_sk AS key,
    concat('the processor sent ', min_by(told.event_type, (told_at, event_key)),
        ' and the credit is ', any_value(entries.state)) AS condition,
    min_by(id, (told_at, event_key)) AS processor_id,
    min_by(concat(partition, ' ', event_key), (told_at, event_key)) AS event,
    min(told_at) AS told_at,
    any_value(currency) AS currency,
    any_value(entries.amount_cents) AS amount_cents
FROM told
JOIN entries
    ON entries.layout = told.layout
    AND entries.account = told.account
    AND entries.sk = told.entry_sk
LEFT JOIN account_currencies
    ON account_currencies.layout = told.layout AND account_currencies.account = told.account
LEFT JOIN reversals
    ON reversals.layout = told.layout
    AND reversals.account = told.account
    AND reversals.original_sk = told.entry_sk
WHERE entries.type = 'credit'
    AND ((pays AND entries.state = 'pending')
        OR (NOT pays AND entries.state IN ('pending', 'settled') AND reversals.sk IS NULL))
GROUP BY told.layout, told.account, told.entry_sk
