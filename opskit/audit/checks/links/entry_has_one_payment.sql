-- id: links.entry_has_one_payment
-- catalogue: LNK-04
-- severity: critical
-- title: A ledger entry belongs to one payment
-- criterion: No two payments of an account name the same entry.
-- remedy: Compare both payments with the processor; if both were paid, one of them was never posted.
-- population: SELECT count(*) FROM payments WHERE ledger_sk IS NOT NULL
-- empty: no payment names an entry
WITH shared AS (
    SELECT layout, account, ledger_sk FROM payments
    WHERE ledger_sk IS NOT NULL
    GROUP BY layout, account, ledger_sk HAVING count(*) > 1
)
SELECT
    account,
    ledger_sk AS key,
    concat(count(*), ' payments name this one entry') AS condition,
    list(sk ORDER BY sk) AS payments,
    list(status ORDER BY sk) AS statuses,
    list(amount_cents ORDER BY sk) AS amounts
FROM payments
JOIN shared USING (layout, account, ledger_sk)
GROUP BY layout, account, ledger_sk
