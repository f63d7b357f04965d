-- id: times.no_gap
-- catalogue: TIM-03
-- severity: medium
-- title: Days on which the ledger fell silent
-- criterion: No whole day (UTC) has fewer than the given share of the median entries of that weekday in the four weeks before and after, where chance alone does that less than once in a thousand. Entries have no numbers to find gaps by and the processor's rows are in no table, so this is noted and never a fault.
-- remedy: See what the service did on that day, and compare it with the processor's own list.
-- population: SELECT coalesce(sum(days), 0) FROM (SELECT max(ts // 86400) - min(ts // 86400) AS days FROM entries, clock WHERE ts BETWEEN 1262304000 AND horizon GROUP BY layout HAVING days >= 35)
-- parameters: usual_percent INTEGER = 10
-- empty: the ledger spans fewer than five weeks
WITH written AS (
    SELECT layout, ts // 86400 AS day, count(*) AS entries, 0 AS others
    FROM entries, clock WHERE ts BETWEEN 1262304000 AND horizon GROUP BY ALL
    UNION ALL
    SELECT layout, seen // 86400, 0, count(*)
    FROM (
        SELECT layout, created_at AS seen FROM payments
        UNION ALL SELECT layout, ts FROM markers
        UNION ALL SELECT layout, created_at FROM unmatched
    ), clock
    WHERE seen BETWEEN 1262304000 AND horizon GROUP BY ALL
),
calendar AS (
    SELECT layout, unnest(range(min(day), max(day))) AS day FROM written
    GROUP BY layout
    HAVING max(day) FILTER (WHERE entries > 0) - min(day) FILTER (WHERE entries > 0) >= 35
),
days AS (
    SELECT layout, day, coalesce(sum(entries), 0) AS entries, coalesce(sum(others), 0) AS others
    FROM calendar LEFT JOIN written USING (layout, day)
    GROUP BY layout, day
),
compared AS (
    SELECT days.*, median(entries) OVER weekday AS usual, count(*) OVER weekday AS weeks
    FROM days
    WINDOW weekday AS (PARTITION BY layout, day % 7 ORDER BY day
        ROWS BETWEEN 4 PRECEDING AND 4 FOLLOWING EXCLUDE CURRENT ROW)
),
silent AS (
    SELECT *, day - row_number() OVER (PARTITION BY layout ORDER BY day) AS stretch
    FROM compared
    WHERE weeks >= 4 AND entries * 100 < usual * $usual_percent
        -- Chernoff's bound on the lower tail of Poisson's distribution.
        AND usual - entries - coalesce(entries * ln(usual / nullif(entries, 0)), 0) > ln(1000)
),
stretches AS (
    SELECT layout, min(day) AS day, count(*) AS days, sum(entries) AS entries, sum(usual) AS usual,
        sum(others) AS others
    FROM silent GROUP BY layout, stretch
)
SELECT
    '' AS account,
    strftime(make_timestamp(day * 86400000000), '%Y-%m-%d') AS key,
    'noted' AS outcome,
    concat(days, CASE days WHEN 1 THEN ' day' ELSE ' days' END, ' with ', entries,
        CASE entries WHEN 1 THEN ' entry' ELSE ' entries' END, ' where about ',
        CAST(usual AS BIGINT), ' are usual') AS condition,
    layout,
    CAST(others AS BIGINT) AS payments_and_events
FROM stretches
