-- id: webhooks.markers_expire
-- catalogue: WHK-04
-- severity: low
-- title: Partitions whose webhook markers do not expire
-- criterion: A marker is gone 72 hours after its expiry. CCBill's markers write an attribute that is not the table's TTL attribute, as the service is known to do, so this is noted and never a fault.
-- remedy: See that the table's TTL is on and which attribute it names; markers that stay cost storage and nothing else.
-- population: SELECT count(*) FROM markers
-- parameters: late_seconds INTEGER = 259200
-- empty: there is no webhook marker
WITH late AS (
    SELECT
        account,
        count(*) AS n,
        max(as_of - coalesce(ttl_epoch, ttl)) // 86400 AS days,
        CASE WHEN count(ttl_epoch) = 0 THEN 'ttl' ELSE 'ttl_epoch' END AS attribute
    FROM markers, clock
    WHERE coalesce(ttl_epoch, ttl) < as_of - $late_seconds
    GROUP BY layout, account
)
SELECT
    account,
    '' AS key,
    'noted' AS outcome,
    concat(n, CASE n WHEN 1 THEN ' marker is past its' ELSE ' markers are past their' END,
        ' expiry, the oldest by ', days, CASE days WHEN 1 THEN ' day' ELSE ' days' END)
        AS condition,
    attribute
FROM late
