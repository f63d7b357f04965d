-- id: entries.amount_not_zero
-- catalogue: SCH-01
-- severity: high
-- title: Every entry that counts is of some amount
-- criterion: An entry that is not reversed has an amount above zero, unless its reason is one of those agreed to be free.
-- remedy: Take the amount from the processor's own record of the event (a CCBill webhook may lack the field the service reads) and have an entry of the missing amount posted.
-- population: SELECT count(*) FROM entries WHERE amount_cents IS NOT NULL AND state <> 'reversed'
-- parameters: free_reasons TEXT =
-- scope: item
SELECT
    account,
    sk AS key,
    'the entry is of zero and moves no money' AS condition,
    type,
    state,
    reason,
    ccbill_transaction_id,
    coalesce(event_amount, ccbill_billed_amount) AS amount_in_event
FROM entries
WHERE amount_cents = 0
    AND state <> 'reversed'
    AND NOT list_contains(string_split($free_reasons, ','), coalesce(reason, ''))
