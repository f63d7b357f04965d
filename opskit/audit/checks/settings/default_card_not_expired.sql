-- id: settings.default_card_not_expired
-- catalogue: SET-01
-- severity: low
-- title: Default cards that have expired
-- criterion: The card an account charges by default has not expired. Cards expire by themselves, so this is noted and never a fault.
-- remedy: Ask the customer for a new card before the next charge fails.
-- population: SELECT count(*) FROM settings JOIN payment_methods AS methods ON methods.layout = settings.layout AND methods.account = settings.account AND methods.sk = concat('PM#', coalesce(default_payment_method_id, default_payment_token_id)) WHERE methods.exp_year IS NOT NULL AND methods.exp_month IS NOT NULL
-- empty: no default payment method has an expiry
SELECT
    settings.account,
    methods.sk AS key,
    'noted' AS outcome,
    'the default card has expired' AS condition,
    methods.exp_year,
    methods.exp_month,
    settings.autopay_enabled
FROM settings
CROSS JOIN clock
JOIN payment_methods AS methods
    ON methods.layout = settings.layout
    AND methods.account = settings.account
    AND methods.sk = concat('PM#', coalesce(default_payment_method_id, default_payment_token_id))
WHERE methods.exp_year * 12 + methods.exp_month
    < date_part('year', make_timestamp(as_of * 1000000)) * 12
        + date_part('month', make_timestamp(as_of * 1000000))
