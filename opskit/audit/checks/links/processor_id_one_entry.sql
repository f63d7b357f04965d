-- id: links.processor_id_one_entry
-- catalogue: LNK-05
-- severity: critical
-- title: A payment's money is in one live credit
-- criterion: A live credit that carries a payment's processor id is the entry that payment names. Copies of one type and reason are judged by entries.unique_processor_id.
-- remedy: One of the two credits posts money that moved once; compare with the processor's record of the id.
-- population: SELECT count(*) FROM processor_ids WHERE kind = 'entries'
-- empty: no live credit carries a processor id
WITH suspects AS (
    SELECT layout, account, field, id FROM processor_ids
    WHERE entry_sk IS NOT NULL
    GROUP BY layout, account, field, id
    HAVING min(entry_sk) <> max(entry_sk) AND count(*) > count(*) FILTER (WHERE kind = 'entries')
),
elsewhere AS (
    SELECT mine.layout, mine.account, mine.sk, mine.field, mine.id,
        theirs.sk AS payment, theirs.entry_sk AS other_sk
    FROM suspects
    JOIN processor_ids AS mine USING (layout, account, field, id)
    JOIN processor_ids AS theirs USING (layout, account, field, id)
    WHERE mine.kind = 'entries' AND theirs.kind = 'payments' AND theirs.entry_sk <> mine.sk
),
clashes AS (
    SELECT elsewhere.*, mine.reason, other.reason AS other_reason, mine.amount_cents,
        other.amount_cents AS other_amount
    FROM elsewhere
    JOIN entries AS mine USING (layout, account, sk)
    JOIN entries AS other
        ON other.layout = elsewhere.layout AND other.account = elsewhere.account
        AND other.sk = elsewhere.other_sk
    WHERE mine.type = 'credit' AND mine.state IN ('pending', 'settled')
        AND other.type = 'credit' AND other.state IN ('pending', 'settled')
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
ANTI JOIN processor_ids AS copies
    ON copies.layout = clashes.layout AND copies.account = clashes.account
    AND copies.sk = clashes.other_sk AND copies.kind = 'entries'
    AND copies.field = clashes.field AND copies.id = clashes.id
    AND clashes.other_reason IS NOT DISTINCT FROM clashes.reason
GROUP BY ALL
