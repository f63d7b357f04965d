-- The ledger over a snapshot. The kinds of item are tables or views of their own (see
-- `tables.items`); `posting_rules` holds the rules. Amounts are in minor units, times in epoch
-- seconds. An account is identified by its layout and its partition key value as stored.

-- Every entry with its effect on the four counters; NULL effects where the rule or the amount is
-- unknown. A reversed entry has no effect whatever its amount.
CREATE VIEW postings AS
SELECT
    entries.*,
    rules.name AS rule,
    CASE WHEN rules.name = 'reversed' THEN 0 ELSE rules.owed_pending * amount_cents END
        AS owed_pending,
    CASE WHEN rules.name = 'reversed' THEN 0 ELSE rules.owed_settled * amount_cents END
        AS owed_settled,
    CASE WHEN rules.name = 'reversed' THEN 0 ELSE rules.payments_pending * amount_cents END
        AS payments_pending,
    CASE WHEN rules.name = 'reversed' THEN 0 ELSE rules.payments_settled * amount_cents END
        AS payments_settled
FROM entries
LEFT JOIN posting_rules AS rules
    ON (rules.type IS NULL OR rules.type = entries.type)
    AND (rules.state IS NULL OR rules.state = entries.state)
    AND (rules.reason IS NULL OR rules.reason = entries.reason);

-- What the entries of each account add up to, and how many of them could not be posted.
CREATE VIEW computed_balances AS
SELECT
    layout,
    account,
    count(*) AS entries,
    count(*) FILTER (WHERE owed_pending IS NULL) AS unposted,
    coalesce(sum(owed_pending), 0)::BIGINT AS owed_pending,
    coalesce(sum(owed_settled), 0)::BIGINT AS owed_settled,
    coalesce(sum(payments_pending), 0)::BIGINT AS payments_pending,
    coalesce(sum(payments_settled), 0)::BIGINT AS payments_settled,
    count(*) FILTER (
        WHERE owed_pending <> 0 OR owed_settled <> 0
        OR payments_pending <> 0 OR payments_settled <> 0
    ) AS posted
FROM postings
GROUP BY layout, account;

-- Every item of every kind, with its key and its defects.
CREATE VIEW items AS
SELECT layout, account, sk, 'entries' AS kind, defects FROM entries
UNION ALL SELECT layout, account, sk, 'balances' AS kind, defects FROM balances
UNION ALL SELECT layout, account, sk, 'settings' AS kind, defects FROM settings
UNION ALL SELECT layout, account, sk, 'profiles' AS kind, defects FROM profiles
UNION ALL SELECT layout, account, sk, 'payment_methods' AS kind, defects FROM payment_methods
UNION ALL SELECT layout, account, sk, 'payments' AS kind, defects FROM payments
UNION ALL SELECT layout, account, sk, 'subscriptions' AS kind, defects FROM subscriptions
UNION ALL SELECT layout, account, sk, 'markers' AS kind, defects FROM markers
UNION ALL SELECT layout, account, sk, 'unmatched' AS kind, defects FROM unmatched
UNION ALL SELECT layout, account, sk, 'unclassified' AS kind, defects FROM unclassified;

-- Every user account that holds any item.
CREATE VIEW accounts AS
SELECT DISTINCT layout, account FROM items
WHERE kind NOT IN ('markers', 'unmatched', 'unclassified');

-- Accounts whose balance cannot be judged, and why: nothing is guessed about them.
CREATE VIEW unjudged_accounts AS
SELECT layout, account, string_agg(DISTINCT reason, '; ' ORDER BY reason) AS reason
FROM (
    SELECT layout, account, 'an entry follows no posting rule' AS reason
    FROM postings WHERE rule IS NULL
    UNION ALL
    SELECT layout, account, 'an entry''s amount cannot be read'
    FROM postings WHERE rule IS NOT NULL AND owed_pending IS NULL
    UNION ALL
    SELECT layout, account, 'a stored counter cannot be read'
    FROM balances
    WHERE owed_pending_cents IS NULL OR owed_settled_cents IS NULL
        OR payments_pending_cents IS NULL OR payments_settled_cents IS NULL
    UNION ALL
    SELECT layout, account, 'an item of the account could not be classified'
    FROM unclassified
    WHERE account IS NOT NULL AND (sk LIKE 'LEDGER%' OR sk LIKE 'BALANCE%')
)
GROUP BY layout, account;

-- Stored beside computed for every account that has either and can be judged. An absent BALANCE
-- is zeros, as the service reads it; an account without entries computes to zeros.
CREATE VIEW compared_balances AS
SELECT
    layout,
    account,
    balances.currency,
    balances.account IS NOT NULL AS has_balance,
    coalesce(computed.entries, 0) AS entries,
    coalesce(computed.posted, 0) AS posted,
    coalesce(balances.owed_pending_cents, 0) AS stored_owed_pending,
    coalesce(balances.owed_settled_cents, 0) AS stored_owed_settled,
    coalesce(balances.payments_pending_cents, 0) AS stored_payments_pending,
    coalesce(balances.payments_settled_cents, 0) AS stored_payments_settled,
    coalesce(computed.owed_pending, 0) AS computed_owed_pending,
    coalesce(computed.owed_settled, 0) AS computed_owed_settled,
    coalesce(computed.payments_pending, 0) AS computed_payments_pending,
    coalesce(computed.payments_settled, 0) AS computed_payments_settled,
    stored_owed_pending - computed_owed_pending AS drift_owed_pending,
    stored_owed_settled - computed_owed_settled AS drift_owed_settled,
    stored_payments_pending - computed_payments_pending AS drift_payments_pending,
    stored_payments_settled - computed_payments_settled AS drift_payments_settled
FROM balances
FULL JOIN computed_balances AS computed USING (layout, account)
ANTI JOIN unjudged_accounts USING (layout, account);
