-- id: entries.well_formed
-- catalogue: SCH-01, SCH-02, SCH-03
-- severity: high
-- title: Every ledger entry has the shape the service writes
-- criterion: Each required attribute is there with its type, the amount is a whole number that is not negative, type and state are known, and the sort key is LEDGER#<ts>#<entry_id> of the same item.
-- remedy: Look at the item and at what wrote it; until it is corrected, the balance of its account cannot be judged where the amount, type or state is concerned.
-- population: SELECT count(*) FROM entries
-- scope: item
WITH suspects AS (
    SELECT * FROM entries
    WHERE len(defects) > 0
        OR amount_cents < 0
        OR type NOT IN ('debit', 'credit', 'adjustment')
        OR state NOT IN ('pending', 'settled', 'reversed')
        OR sk <> concat('LEDGER#', CAST(ts AS VARCHAR), '#', entry_id)
        OR NOT regexp_full_match(entry_id, '[0-9]{13}_[0-9a-f]{16}')
),
faults AS (
    SELECT layout, account, sk, unnest(defects) AS fault FROM suspects
    UNION ALL
    SELECT layout, account, sk, 'amount_cents: is negative' FROM suspects
    WHERE amount_cents < 0
    UNION ALL
    SELECT layout, account, sk, 'type: is none of debit, credit, adjustment' FROM suspects
    WHERE type NOT IN ('debit', 'credit', 'adjustment')
    UNION ALL
    SELECT layout, account, sk, 'state: is none of pending, settled, reversed' FROM suspects
    WHERE state NOT IN ('pending', 'settled', 'reversed')
    UNION ALL
    SELECT layout, account, sk, 'entry_id: is not <epoch ms>_<16 hex digits>' FROM suspects
    WHERE NOT regexp_full_match(entry_id, '[0-9]{13}_[0-9a-f]{16}')
    UNION ALL
    SELECT layout, account, sk, 'sk: is not LEDGER#<ts>#<entry_id> of the item' FROM suspects
    WHERE sk <> concat('LEDGER#', CAST(ts AS VARCHAR), '#', entry_id)
)
SELECT
    account,
    sk AS key,
    string_agg(fault, '; ' ORDER BY fault) AS condition,
    any_value(type) AS type,
    any_value(state) AS state,
    any_value(amount_cents) AS amount_cents
FROM faults
JOIN suspects USING (layout, account, sk)
GROUP BY layout, account, sk
