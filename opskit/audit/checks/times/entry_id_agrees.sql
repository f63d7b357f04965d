-- id: times.entry_id_agrees
-- catalogue: SCH-04
-- severity: low
-- title: An entry's id was made when the entry says it was
-- criterion: The milliseconds in entry_id are within two seconds of ts. Only books whose entries mostly agree are judged: where most differ, ids and times come from different clocks (a migration, a replay).
-- remedy: Ask what wrote the entry; a time set by hand is a backdated entry.
-- population: SELECT coalesce(sum(entries), 0) FROM (SELECT count(apart_ms) AS entries FROM (SELECT layout, TRY_CAST(substr(entry_id, 1, 13) AS BIGINT) - ts * 1000 AS apart_ms FROM entries) GROUP BY layout HAVING count(*) FILTER (WHERE abs(apart_ms) <= $tolerance_ms) * 2 > count(apart_ms))
-- parameters: tolerance_ms INTEGER = 2000
-- empty: no entry id can be compared: most differ from their time, so they come from another clock
-- scope: item
WITH compared AS (
    SELECT
        layout,
        account,
        sk,
        ts,
        TRY_CAST(substr(entry_id, 1, 13) AS BIGINT) - ts * 1000 AS apart_ms
    FROM entries
),
judged AS (
    SELECT layout FROM compared
    GROUP BY layout
    HAVING count(*) FILTER (WHERE abs(apart_ms) <= $tolerance_ms) * 2 > count(apart_ms)
)
SELECT
    account,
    sk AS key,
    'noted' AS outcome,
    'the entry''s id was made at another time than it states' AS condition,
    ts,
    apart_ms
FROM compared
SEMI JOIN judged USING (layout)
WHERE abs(apart_ms) > $tolerance_ms
