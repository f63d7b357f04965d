-- id: links.processor_id_one_entry
-- catalogue: LNK-05
-- severity: critical
-- title: A payment's money is in one live credit
-- criterion: A live credit that carries a payment's processor id is the entry that payment names. Copies of one type and reason are judged by entries.unique_processor_id.
-- remedy: One of the two credits posts money that moved once; compare with the processor's record of the id.
-- population: SELECT count(*) FROM processor_ids AS ids JOIN entries USING (layout, account, sk) WHERE ids.kind = 'entries' AND entries.type = 'credit' AND entries.state IN ('pending', 'settled')
-- empty: no live credit carries a processor id
WITH live AS (
    SELECT layout, account, sk, reason, state, amount_cents
    FROM entries WHERE type = 'credit' AND state IN ('pending', 'settled')
)
SELECT
    mine.account,
    mine.sk AS key,
    'the processor id of this credit belongs to a payment of another live credit' AS condition,
    string_agg(DISTINCT concat(ids.field, ' = ', ids.id), ', '
        ORDER BY concat(ids.field, ' = ', ids.id)) AS processor_id,
    payments.sk AS payment,
    other.sk AS other_entry,
    mine.reason,
    other.reason AS other_reason,
    mine.amount_cents,
    other.amount_cents AS other_amount
FROM live AS mine
JOIN processor_ids AS ids
    ON ids.layout = mine.layout AND ids.account = mine.account AND ids.sk = mine.sk
    AND ids.kind = 'entries'
JOIN processor_ids AS theirs
    ON theirs.layout = ids.layout AND theirs.account = ids.account
    AND theirs.field = ids.field AND theirs.id = ids.id AND theirs.kind = 'payments'
JOIN payments
    ON payments.layout = theirs.layout AND payments.account = theirs.account
    AND payments.sk = theirs.sk
JOIN live AS other
    ON other.layout = payments.layout AND other.account = payments.account
    AND other.sk = payments.ledger_sk
LEFT JOIN processor_ids AS copies
    ON copies.layout = other.layout AND copies.account = other.account
    AND copies.sk = other.sk AND copies.kind = 'entries'
    AND copies.field = ids.field AND copies.id = ids.id
WHERE other.sk <> mine.sk
    AND (copies.sk IS NULL OR other.reason IS DISTINCT FROM mine.reason)
GROUP BY ALL
