-- id: analytics.reversal_rate
-- catalogue: ANA-05
-- severity: info
-- title: Months in which unusually much was taken back
-- criterion: In each month with 100 settled credits or more, at most the given share was refunded, charged back or disputed.
-- remedy: See what was sold in that month, and by which processor it was taken back.
-- population: SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM entries WHERE type = 'credit' AND state = 'settled' GROUP BY layout, ts // 2629746 HAVING count(*) >= 100)
-- parameters: per_hundred INTEGER = 10
-- empty: no month has 100 settled credits
WITH months AS (
    SELECT
        layout,
        strftime(make_timestamp(ts * 1000000), '%Y-%m') AS month,
        count(*) FILTER (WHERE type = 'credit' AND state = 'settled') AS credits,
        count(*) FILTER (WHERE type = 'adjustment' AND state = 'settled'
            AND reason <> 'dispute_funds_reinstated') AS taken_back
    FROM entries
    WHERE ts BETWEEN 0 AND 9000000000
    GROUP BY ALL
)
SELECT
    '' AS account,
    month AS key,
    concat(taken_back, ' taken back beside ', credits, ' credits of the month') AS condition,
    layout
FROM months
WHERE credits >= 100 AND taken_back * 100 > credits * $per_hundred
