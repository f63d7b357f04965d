-- id: currencies.one_per_account
-- catalogue: CUR-01
-- severity: critical
-- title: An account is in one currency
-- criterion: The balance, the payments and the entries' own currency notes of an account all name one currency.
-- remedy: Amounts of different currencies are added up as if they were one; find the odd one out and what it should have been.
-- population: SELECT count(DISTINCT (layout, account)) FROM (SELECT layout, account FROM balances WHERE currency IS NOT NULL UNION ALL SELECT layout, account FROM payments WHERE currency IS NOT NULL)
WITH named AS (
    SELECT layout, account, sk, currency FROM balances
    UNION ALL SELECT layout, account, sk, currency FROM payments
    UNION ALL SELECT layout, account, sk, meta_currency FROM entries
    UNION ALL SELECT layout, account, sk, event_currency FROM entries
),
counted AS (
    SELECT layout, account, upper(currency) AS currency, min(sk) AS example, count(*) AS items
    FROM named WHERE currency IS NOT NULL
    GROUP BY layout, account, upper(currency)
)
SELECT
    account,
    '' AS key,
    concat('items of the account name ', count(*), ' currencies') AS condition,
    list(currency ORDER BY items DESC, currency) AS currencies,
    list(example ORDER BY items DESC, currency) AS examples
FROM counted
GROUP BY layout, account
HAVING count(*) > 1
