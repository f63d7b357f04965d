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

-- Every payment, and the id of the PayPal capture that its raw record is of.
CREATE VIEW payments_with_capture AS
SELECT *, coalesce(raw_capture_id, CASE WHEN raw_event_type LIKE 'PAYMENT.CAPTURE.%'
    THEN raw_event_resource_id END) AS capture_id
FROM payments;

-- Every payment beside the entry it names, and every live credit that no payment names (`sk` is NULL
-- then). `other_...` are the payment's processor ids that its entry does not carry.
CREATE VIEW payment_links AS
SELECT
    coalesce(payments.layout, entries.layout) AS layout,
    coalesce(payments.account, entries.account) AS account,
    payments.sk,
    coalesce(payments.ledger_sk, entries.sk) AS ledger_sk,
    entries.sk IS NOT NULL AS has_entry,
    payments.status,
    payments.amount_cents,
    payments.currency,
    payments.charge_id,
    payments.created_at,
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
        AS ids_differ,
    nullif(payments.payment_intent_id, entries.stripe_payment_intent_id) AS other_intent_id,
    nullif(payments.charge_id, entries.stripe_charge_id) AS other_charge_id,
    nullif(payments.external_id, entries.paypal_order_id) AS other_order_id,
    nullif(payments.capture_id, entries.paypal_capture_id) AS other_capture_id,
    nullif(payments.transaction_id, entries.ccbill_transaction_id) AS other_transaction_id
FROM payments_with_capture AS payments
FULL JOIN entries
    ON entries.sk = payments.ledger_sk
    AND entries.account = payments.account
    AND entries.layout = payments.layout
WHERE payments.sk IS NOT NULL
    OR (entries.type = 'credit' AND entries.state IN ('pending', 'settled'));

-- Every payment beside the entry it names, where that is there.
CREATE VIEW linked_payments AS
SELECT
    layout, account, sk, ledger_sk, status, amount_cents, currency, charge_id, created_at, method,
    entry_type, entry_state, entry_ts, entry_amount_cents, ids_differ
FROM payment_links WHERE sk IS NOT NULL AND has_entry;

-- Every live credit that no payment names.
CREATE VIEW unnamed_credits AS
SELECT * FROM entries
SEMI JOIN payment_links AS links
    ON links.sk IS NULL AND links.ledger_sk = entries.sk
    AND links.account = entries.account AND links.layout = entries.layout;

-- Every processor id that an entry or a payment carries, under the name of its field on entries.
-- `entry_sk` is the entry itself, or the one the payment names.
CREATE VIEW processor_ids AS
SELECT layout, account, sk, 'entries' AS kind, 'stripe_payment_intent_id' AS field,
    stripe_payment_intent_id AS id, sk AS entry_sk
FROM entries WHERE stripe_payment_intent_id IS NOT NULL
UNION ALL
SELECT layout, account, sk, 'entries' AS kind, 'stripe_charge_id' AS field,
    stripe_charge_id AS id, sk AS entry_sk
FROM entries WHERE stripe_charge_id IS NOT NULL
UNION ALL
SELECT layout, account, sk, 'entries' AS kind, 'paypal_order_id' AS field,
    paypal_order_id AS id, sk AS entry_sk
FROM entries WHERE paypal_order_id IS NOT NULL
UNION ALL
SELECT layout, account, sk, 'entries' AS kind, 'paypal_capture_id' AS field,
    paypal_capture_id AS id, sk AS entry_sk
FROM entries WHERE paypal_capture_id IS NOT NULL
UNION ALL
SELECT layout, account, sk, 'entries' AS kind, 'ccbill_transaction_id' AS field,
    ccbill_transaction_id AS id, sk AS entry_sk
FROM entries WHERE ccbill_transaction_id IS NOT NULL
UNION ALL
SELECT layout, account, sk, 'payments', 'stripe_payment_intent_id', payment_intent_id, ledger_sk
FROM payments_with_capture WHERE payment_intent_id IS NOT NULL
UNION ALL
SELECT layout, account, sk, 'payments', 'stripe_charge_id', charge_id, ledger_sk
FROM payments_with_capture WHERE charge_id IS NOT NULL
UNION ALL
SELECT layout, account, sk, 'payments', 'paypal_order_id', external_id, ledger_sk
FROM payments_with_capture WHERE external_id IS NOT NULL
UNION ALL
SELECT layout, account, sk, 'payments', 'paypal_capture_id', capture_id, ledger_sk
FROM payments_with_capture WHERE capture_id IS NOT NULL
UNION ALL
SELECT layout, account, sk, 'payments', 'ccbill_transaction_id', transaction_id, ledger_sk
FROM payments_with_capture WHERE transaction_id IS NOT NULL;

-- The rows of processor_ids whose id is on more than an entry and the payment that names it, each
-- with its entry, whose columns are NULL where that is not there.
CREATE VIEW shared_ids AS
WITH once_a_pair (field, id) AS (
    SELECT field, id FROM processor_ids WHERE kind = 'entries'
    UNION ALL SELECT 'stripe_payment_intent_id', other_intent_id FROM payment_links
    UNION ALL SELECT 'stripe_charge_id', other_charge_id FROM payment_links
    UNION ALL SELECT 'paypal_order_id', other_order_id FROM payment_links
    UNION ALL SELECT 'paypal_capture_id', other_capture_id FROM payment_links
    UNION ALL SELECT 'ccbill_transaction_id', other_transaction_id FROM payment_links
),
shared AS (
    SELECT processor_ids.* FROM processor_ids
    SEMI JOIN (
        SELECT field, id FROM once_a_pair WHERE id IS NOT NULL
        GROUP BY field, id HAVING count(*) > 1
    ) AS repeated USING (field, id)
)
SELECT
    shared.*, entries.type, entries.state, entries.reason, entries.ts, entries.amount_cents,
    entries.dispute_id, entries.event_id
FROM shared
LEFT JOIN entries
    ON entries.sk = shared.entry_sk
    AND entries.account = shared.account
    AND entries.layout = shared.layout;

-- Every live adjustment with the credit it takes back or gives back: the credit that carries one
-- of its processor ids, or whose payment does, or that its event's custom id names.
CREATE VIEW reversals AS
WITH adjustments AS (
    SELECT layout, account, sk, ts, reason, amount_cents, dispute_id, event_id, event_custom_id,
        stripe_payment_intent_id, stripe_charge_id
    FROM entries WHERE type = 'adjustment' AND state <> 'reversed'
),
candidates AS (
    SELECT mine.layout, mine.account, mine.sk, credits.entry_sk AS original_sk,
        credits.state AS original_state, credits.amount_cents AS original_amount_cents
    FROM shared_ids AS mine
    JOIN shared_ids AS credits USING (id, field, account, layout)
    WHERE mine.kind = 'entries' AND mine.type = 'adjustment' AND mine.state <> 'reversed'
        AND credits.type = 'credit'
    UNION ALL
    SELECT adjustments.layout, adjustments.account, adjustments.sk, credits.sk, credits.state,
        credits.amount_cents
    FROM adjustments
    JOIN entries AS credits
        ON credits.sk = split_part(adjustments.event_custom_id, '|', 2)
        AND credits.account = adjustments.account
        AND credits.layout = adjustments.layout
    WHERE adjustments.event_custom_id LIKE '%|LEDGER#%' AND credits.type = 'credit'
),
originals AS (
    SELECT layout, account, sk, max(original_sk) AS original_sk,
        arg_max_null(original_state, original_sk) AS original_state,
        arg_max_null(original_amount_cents, original_sk) AS original_amount_cents
    FROM candidates GROUP BY ALL
)
SELECT adjustments.*, original_sk, original_state, original_amount_cents
FROM adjustments LEFT JOIN originals USING (layout, account, sk);
