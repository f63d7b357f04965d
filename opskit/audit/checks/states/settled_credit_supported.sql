-- id: states.settled_credit_supported
-- catalogue: STA-03
-- severity: high
-- title: A settled credit has something to show for it
-- criterion: Each settled credit carries a processor's id of the payment, or a payment names it, or its reason is one agreed to be manual.
-- remedy: Ask who posted it; money that no processor knows of was probably never received.
-- population: SELECT count(*) FROM entries WHERE type = 'credit' AND state = 'settled'
-- parameters: manual_reasons TEXT =
-- empty: no credit is settled
WITH identified AS (
    SELECT DISTINCT layout, account, sk FROM processor_ids WHERE kind = 'entries'
)
SELECT
    entries.account,
    entries.sk AS key,
    'the credit is settled, carries no processor id and no payment names it' AS condition,
    entries.reason,
    entries.amount_cents,
    entries.idempotency_key
FROM entries
ANTI JOIN identified USING (layout, account, sk)
ANTI JOIN payments
    ON payments.layout = entries.layout
    AND payments.account = entries.account
    AND payments.ledger_sk = entries.sk
WHERE entries.type = 'credit'
    AND entries.state = 'settled'
    AND NOT list_contains(string_split($manual_reasons, ','), coalesce(entries.reason, ''))
