-- id: times.possible
-- catalogue: TIM-01
-- severity: medium
-- title: Every time is one at which the service ran
-- criterion: No time is later than the audit's instant (and five minutes for clocks that differ), earlier than the service went live, or an update before its creation. An entry whose key states another time is judged by entries.well_formed.
-- remedy: Look at what wrote the item; milliseconds or a date typed by hand stand where epoch seconds belong.
-- population: SELECT count(*) FROM items WHERE kind NOT IN ('settings', 'unclassified')
-- parameters: go_live INTEGER = 1262304000
-- scope: item
WITH times AS (
    SELECT account, sk, 'ts' AS field, ts AS value, NULL AS created FROM entries
    WHERE sk LIKE concat('LEDGER#', ts, '#%')
    UNION ALL SELECT account, sk, 'updated_at', updated_at, NULL FROM balances
    UNION ALL SELECT account, sk, 'created_at', created_at, NULL FROM payments
    UNION ALL SELECT account, sk, 'updated_at', updated_at, created_at FROM payments
    UNION ALL SELECT account, sk, 'created_at', created_at, NULL FROM payment_methods
    UNION ALL SELECT account, sk, 'created_at', created_at, NULL FROM profiles
    UNION ALL SELECT account, sk, 'created_at', created_at, NULL FROM subscriptions
    UNION ALL SELECT account, sk, 'updated_at', updated_at, created_at FROM subscriptions
    UNION ALL SELECT account, sk, 'ts', ts, NULL FROM markers
    UNION ALL SELECT account, sk, 'created_at', created_at, NULL FROM unmatched
)
SELECT
    account,
    sk AS key,
    CASE WHEN value > horizon THEN concat(field, ' is in the future')
        WHEN value < $go_live THEN concat(field, ' is before the service went live')
        ELSE concat(field, ' is before created_at') END AS condition,
    value,
    created AS created_at
FROM times, clock
WHERE value > horizon OR value < $go_live OR value < created
