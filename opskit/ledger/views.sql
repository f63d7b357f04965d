-- The ledger over a snapshot. The kinds of item are tables or views of their own (see
-- `tables.items`); `posting_rules` holds the rules. Amounts are in minor units, times in epoch
-- seconds. An account is identified by its layout and its partition key value as stored.

-- The instant the books are judged at, how long a write may take, the instant after which a
-- time is in the future, and the one after which the books may lack a write. Until a run sets them: no account is unsettled, and nothing is future.
CREATE TABLE clock AS
SELECT
    CAST(0 AS BIGINT) AS as_of,
    CAST(0 AS BIGINT) AS settle_window,
    CAST(9223372036854775807 AS BIGINT) AS horizon,
    CAST(0 AS BIGINT) AS edge;

-- The rule of each combination of type, state and reason that occurs; NULL where none is for it.
CREATE VIEW rules_in_use AS
WITH combinations AS (SELECT DISTINCT type, state, reason FROM entries)
SELECT combinations.*, rules.* EXCLUDE (type, state, reason)
FROM combinations
LEFT JOIN posting_rules AS rules
    ON (rules.type IS NULL OR rules.type = combinations.type)
    AND (rules.state IS NULL OR rules.state = combinations.state)
    AND (rules.reason IS NULL OR rules.reason = combinations.reason);

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
LEFT JOIN rules_in_use AS rules
    ON rules.type IS NOT DISTINCT FROM entries.type
    AND rules.state IS NOT DISTINCT FROM entries.state
    AND rules.reason IS NOT DISTINCT FROM entries.reason;

-- What the entries of each account add up to, and how many of them could not be posted.
CREATE VIEW computed_balances AS
SELECT
    layout,
    account,
    count(*) AS entries,
    count(*) FILTER (WHERE owed_pending IS NULL) AS unposted,
    coalesce(sum(owed_pending), 0)::HUGEINT AS owed_pending,
    coalesce(sum(owed_settled), 0)::HUGEINT AS owed_settled,
    coalesce(sum(payments_pending), 0)::HUGEINT AS payments_pending,
    coalesce(sum(payments_settled), 0)::HUGEINT AS payments_settled,
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
    WHERE account IS NOT NULL AND (starts_with(sk, 'LEDGER#') OR sk = 'BALANCE')
)
GROUP BY layout, account;

-- Each account's currency: its BALANCE's, or where it has none its settings'.
CREATE VIEW account_currencies AS
SELECT layout, account, coalesce(max(balances.currency), max(settings.currency)) AS currency
FROM balances
FULL JOIN settings USING (layout, account)
GROUP BY layout, account;

-- Stored beside computed for every account that has either and can be judged. An absent BALANCE
-- is zeros, as the service reads it; an account without entries computes to zeros.
CREATE VIEW compared_balances AS
SELECT
    layout,
    account,
    account_currencies.currency,
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
LEFT JOIN account_currencies USING (layout, account)
ANTI JOIN unjudged_accounts USING (layout, account);

-- Every posting of an account that can be judged, with the account's currency in capitals.
CREATE VIEW judged_postings AS
SELECT
    layout, account, postings.sk, ts, type, state, reason, entry_id, amount_cents, rule,
    coalesce(upper(account_currencies.currency), '') AS currency,
    owed_pending, owed_settled, payments_pending, payments_settled
FROM postings
ANTI JOIN unjudged_accounts USING (layout, account)
LEFT JOIN account_currencies USING (layout, account);

-- When each account was last written to, as far as its items say; times in the future say nothing.
CREATE VIEW account_activity AS
SELECT layout, account, max(written) FILTER (WHERE written <= horizon) AS last_write
FROM (
    SELECT layout, account, max(ts) FILTER (WHERE ts <= horizon) AS written
    FROM entries, clock GROUP BY layout, account
    UNION ALL SELECT layout, account, updated_at FROM balances
    UNION ALL SELECT layout, account, greatest(created_at, updated_at) FROM payments
    UNION ALL SELECT layout, account, greatest(created_at, updated_at) FROM subscriptions
), clock
GROUP BY layout, account;

-- Accounts written to so lately that a write of several steps may be half done.
CREATE VIEW unsettled_accounts AS
SELECT layout, account, last_write
FROM account_activity, clock
WHERE last_write > edge - settle_window AND settle_window > 0;

-- Every payment beside the entry it names, where that is there.
CREATE VIEW linked_payments AS
SELECT
    payments.layout,
    payments.account,
    payments.sk,
    payments.ledger_sk,
    payments.status,
    payments.amount_cents,
    payments.currency,
    payments.charge_id,
    coalesce(payments.payment_method_id, payments.payment_token_id) AS method,
    entries.type AS entry_type,
    entries.state AS entry_state,
    entries.ts AS entry_ts,
    entries.amount_cents AS entry_amount_cents,
    payments.payment_intent_id <> entries.stripe_payment_intent_id
        OR payments.charge_id <> entries.stripe_charge_id
        OR payments.external_id <> entries.paypal_order_id
        OR payments.transaction_id <> entries.ccbill_transaction_id
        OR payments.subscription_id
            <> coalesce(entries.ccbill_subscription_id, entries.paypal_subscription_id)
        AS ids_differ
FROM payments
JOIN entries
    ON entries.sk = payments.ledger_sk
    AND entries.account = payments.account
    AND entries.layout = payments.layout;

-- Every processor id that an entry or a payment carries, under the name of its field on entries.
-- `entry_sk` is the entry itself, or the one the payment names.
CREATE VIEW processor_ids AS
SELECT layout, account, sk, 'entries' AS kind, field, id, sk AS entry_sk
FROM entries
UNPIVOT (id FOR field IN (
    stripe_payment_intent_id, stripe_charge_id, paypal_order_id, paypal_capture_id,
    ccbill_transaction_id))
UNION ALL
SELECT layout, account, sk, 'payments' AS kind, field, id, ledger_sk AS entry_sk
FROM (
    SELECT
        layout, account, sk, ledger_sk,
        payment_intent_id AS stripe_payment_intent_id,
        charge_id AS stripe_charge_id,
        external_id AS paypal_order_id,
        coalesce(raw_capture_id, CASE WHEN raw_event_type LIKE 'PAYMENT.CAPTURE.%'
            THEN raw_event_resource_id END) AS paypal_capture_id,
        transaction_id AS ccbill_transaction_id
    FROM payments
)
UNPIVOT (id FOR field IN (
    stripe_payment_intent_id, stripe_charge_id, paypal_order_id, paypal_capture_id,
    ccbill_transaction_id));

-- Every live adjustment with the credit it takes back or gives back: the credit that carries one
-- of its processor ids, or whose payment does, or that its event's custom id names.
CREATE VIEW reversals AS
WITH adjustments AS (
    SELECT layout, account, sk, ts, reason, amount_cents, dispute_id, event_custom_id
    FROM entries WHERE type = 'adjustment' AND state <> 'reversed'
),
named AS (
    SELECT layout, account, sk, field, id
    FROM processor_ids SEMI JOIN adjustments USING (sk, account, layout)
    WHERE kind = 'entries'
),
candidates AS (
    SELECT named.layout, named.account, named.sk, others.entry_sk AS original_sk
    FROM named
    JOIN processor_ids AS others USING (id, field, account, layout)
    WHERE others.entry_sk IS NOT NULL AND others.entry_sk <> named.sk
    UNION ALL
    SELECT layout, account, sk, split_part(event_custom_id, '|', 2)
    FROM adjustments WHERE event_custom_id LIKE '%|LEDGER#%'
),
originals AS (
    SELECT candidates.layout, candidates.account, candidates.sk,
        max(candidates.original_sk) AS original_sk
    FROM candidates
    JOIN entries
        ON entries.layout = candidates.layout AND entries.account = candidates.account
        AND entries.sk = candidates.original_sk
    WHERE entries.type = 'credit'
    GROUP BY ALL
)
SELECT adjustments.*, originals.original_sk
FROM adjustments LEFT JOIN originals USING (layout, account, sk);
