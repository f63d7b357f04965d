-- id: analytics.first_digits
-- catalogue: ANA-01
-- severity: info
-- title: First digits of debits that stray from Benford's law
-- criterion: The mean absolute deviation of the debits' first digits from Benford's law is at most 0.015. Judged only over 1,000 debits that span two orders of magnitude, half of them beside the ten commonest amounts: list prices do not follow the law.
-- remedy: Look at the amounts that begin with the digits in excess.
-- population: SELECT coalesce(sum(amounts), 0) FROM (SELECT sum(n) AS amounts FROM (SELECT amount_cents, count(*) AS n, row_number() OVER (ORDER BY count(*) DESC) AS place FROM entries WHERE type = 'debit' AND amount_cents > 0 GROUP BY amount_cents) HAVING sum(n) >= 1000 AND max(amount_cents) >= 100 * min(amount_cents) AND 2 * sum(n) FILTER (WHERE place <= 10) < sum(n))
-- empty: the debits are too few, too alike or list prices
WITH amounts AS (
    SELECT amount_cents, count(*) AS n, row_number() OVER (ORDER BY count(*) DESC) AS place
    FROM entries WHERE type = 'debit' AND amount_cents > 0
    GROUP BY amount_cents
),
whole AS (
    SELECT sum(n) AS total FROM amounts
    HAVING sum(n) >= 1000 AND max(amount_cents) >= 100 * min(amount_cents)
        AND 2 * sum(n) FILTER (WHERE place <= 10) < sum(n)
),
digits AS (
    SELECT
        CAST(substr(CAST(amount_cents AS VARCHAR), 1, 1) AS INTEGER) AS digit,
        sum(n) / any_value(total) AS share
    FROM amounts, whole
    GROUP BY digit
)
SELECT
    '' AS account,
    '' AS key,
    'the debits'' first digits stray from Benford''s law' AS condition,
    round(1000 * avg(abs(share - log10(1 + 1.0 / digit)))) AS deviation_per_mille,
    CAST(arg_max(digit, share - log10(1 + 1.0 / digit)) AS VARCHAR) AS digit_in_excess
FROM digits
HAVING avg(abs(share - log10(1 + 1.0 / digit))) > 0.015
