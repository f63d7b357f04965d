-- id: entries.known_posting_rule
-- catalogue: SCH-05
-- severity: high
-- title: Every ledger entry follows a posting rule
-- criterion: The entry's type, state and reason select one row of the posting rules.
-- remedy: Ask the service's team what the entry does to the counters and add its rule; until then nothing is guessed and the account's balance is not judged.
-- population: SELECT count(*) FROM entries
-- scope: item
SELECT
    account,
    sk AS key,
    'inconclusive' AS outcome,
    'no posting rule says what this entry does to the counters' AS condition,
    type,
    state,
    reason,
    amount_cents
FROM entries
SEMI JOIN (SELECT type, state, reason FROM rules_in_use WHERE name IS NULL) AS unknown
    USING (type, state, reason)
WHERE type IN ('debit', 'credit', 'adjustment')
    AND state IN ('pending', 'settled', 'reversed')
    AND reason IS NOT NULL
