-- id: subscriptions.status_as_told
-- catalogue: SUB-03
-- severity: medium
-- title: A subscription that the processor ended is not active
-- criterion: A subscription is not active when the last event about it that was set aside says that it was canceled, has expired or is suspended, and nothing was written to it since. Only events that were set aside are in the tables; the processor's list of subscriptions tells of the others.
-- remedy: Ask the processor for the subscription's status and put the item right; stop what renews it.
-- population: SELECT count(*) FROM unmatched WHERE coalesce(eventType, json_extract_string(item, '$.event.M.event_type.S')) LIKE 'BILLING.SUBSCRIPTION.%' OR eventType IN ('Cancellation', 'Expiration', 'UserReactivation')
-- parameters: lag_seconds INTEGER = 3600
-- empty: no event about a subscription was set aside
WITH set_aside AS (
    SELECT
        layout,
        account AS partition,
        sk AS event_key,
        created_at AS told_at,
        coalesce(eventType, json_extract_string(item, '$.event.M.event_type.S')) AS event_type,
        coalesce(
            json_extract_string(item, '$.event.M.resource.M.id.S'),
            json_extract_string(item, '$.payload.M.subscriptionId.S')) AS subscription_id
    FROM unmatched
),
meanings (event_type, status) AS (
    VALUES
        ('BILLING.SUBSCRIPTION.CANCELLED', 'canceled'), ('Cancellation', 'canceled'),
        ('BILLING.SUBSCRIPTION.EXPIRED', 'expired'), ('Expiration', 'expired'),
        ('BILLING.SUBSCRIPTION.SUSPENDED', 'suspended'),
        ('BILLING.SUBSCRIPTION.ACTIVATED', 'active'),
        ('BILLING.SUBSCRIPTION.RE-ACTIVATED', 'active'), ('UserReactivation', 'active')
),
told AS (
    SELECT
        layout,
        subscription_id,
        max(told_at) AS told_at,
        max_by(status, (told_at, event_key)) AS told_status,
        max_by(event_type, (told_at, event_key)) AS event_type,
        max_by(concat(partition, ' ', event_key), (told_at, event_key)) AS event
    FROM set_aside
    JOIN meanings USING (event_type)
    WHERE subscription_id IS NOT NULL AND told_at IS NOT NULL
    GROUP BY layout, subscription_id
)
SELECT
    account,
    sk AS key,
    concat('the processor says that the subscription is ', told_status) AS condition,
    status,
    plan_id,
    event_type,
    event,
    told_at,
    updated_at
FROM subscriptions
JOIN told USING (layout, subscription_id)
CROSS JOIN clock
WHERE status = 'active'
    AND told_status <> 'active'
    AND told_at > coalesce(updated_at, created_at, 0)
    AND told_at <= as_of - $lag_seconds
