-- id: webhooks.unmatched_resolved
-- catalogue: WHK-01
-- severity: high
-- title: Every event that moved money found its account
-- criterion: An event set aside as unmatched or of another type moves no money, or an entry or payment carries its id by now.
-- remedy: Find whose money it is by the processor's record of the id, and have it posted.
-- population: SELECT count(*) FROM unmatched
-- empty: no event was set aside
-- scope: item
WITH set_aside AS (
    SELECT
        account,
        sk,
        coalesce(eventType, json_extract_string(item, '$.event.M.event_type.S')) AS event_type,
        coalesce(
            json_extract_string(item, '$.event.M.resource.M.id.S'),
            json_extract_string(item, '$.payload.M.transactionId.S')) AS id
    FROM unmatched
)
SELECT
    set_aside.account,
    set_aside.sk AS key,
    'the event moved money and no account carries its id' AS condition,
    event_type,
    id AS processor_id
FROM set_aside
ANTI JOIN processor_ids AS known ON known.id = set_aside.id
WHERE event_type IN (
    'PAYMENT.CAPTURE.COMPLETED', 'PAYMENT.CAPTURE.REFUNDED', 'PAYMENT.CAPTURE.REVERSED',
    'PAYMENT.CAPTURE.DENIED', 'PAYMENT.CAPTURE.DECLINED',
    'PAYMENT.SALE.COMPLETED', 'PAYMENT.SALE.REFUNDED', 'PAYMENT.SALE.REVERSED',
    'NewSaleSuccess', 'UpSaleSuccess', 'UpgradeSuccess', 'CrossSaleSuccess', 'RenewalSuccess',
    'Refund', 'Chargeback', 'Void', 'Return')
