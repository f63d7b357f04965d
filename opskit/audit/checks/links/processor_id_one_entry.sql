-- id: links.processor_id_one_entry
-- catalogue: LNK-05
-- severity: critical
-- title: A payment's money is in one live credit
-- criterion: A live credit that carries a payment's processor id is the entry that payment names. Copies of one type and reason are judged by entries.unique_processor_id.
-- remedy: One of the two credits posts money that moved once; compare with the processor's record of the id.
-- population: SELECT count(*) FROM processor_ids WHERE kind = 'entries'
-- empty: no live credit carries a processor id
WITH credits AS (
    SELECT * FROM shared_ids WHERE type = 'credit' AND state IN ('pending', 'settled')
),
clashes AS (
    SELECT mine.layout, mine.account, mine.sk, mine.field, mine.id, theirs.sk AS payment,
        theirs.entry_sk AS other_sk, mine.reason, theirs.reason AS other_reason,
        mine.amount_cents, theirs.amount_cents AS other_amount
    FROM credits AS mine
    JOIN credits AS theirs USING (layout, account, field, id)
    WHERE mine.kind = 'entries' AND theirs.kind = 'payments' AND theirs.entry_sk <> mine.sk
)
SELECT
    account,
    sk AS key,
    'the processor id of this credit belongs to a payment of another live credit' AS condition,
    string_agg(DISTINCT concat(field, ' = ', id), ', ' ORDER BY concat(field, ' = ', id))
        AS processor_id,
    payment,
    other_sk AS other_entry,
    reason,
    other_reason,
    amount_cents,
    other_amount
FROM clashes
ANTI JOIN shared_ids AS copies
    ON copies.layout = clashes.layout AND copies.account = clashes.account
    AND copies.sk = clashes.other_sk AND copies.kind = 'entries'
    AND copies.field = clashes.field AND copies.id = clashes.id
    AND clashes.other_reason IS NOT DISTINCT FROM clashes.reason
GROUP BY ALL
