-- id: settings.default_method_exists
-- catalogue: SET-01
-- severity: medium
-- title: The default payment method is one of the account's
-- criterion: The default payment method or token of the settings is a PM# item of the same account.
-- remedy: Have the customer choose a default again; until then no charge by default can work.
-- population: SELECT count(*) FROM settings WHERE coalesce(default_payment_method_id, default_payment_token_id) IS NOT NULL
-- empty: no account has a default payment method
SELECT
    settings.account,
    settings.sk AS key,
    'the default payment method is not there' AS condition,
    coalesce(default_payment_method_id, default_payment_token_id) AS default_method,
    autopay_enabled
FROM settings
ANTI JOIN payment_methods
    ON payment_methods.layout = settings.layout
    AND payment_methods.account = settings.account
    AND payment_methods.sk = concat('PM#',
        coalesce(settings.default_payment_method_id, settings.default_payment_token_id))
WHERE coalesce(default_payment_method_id, default_payment_token_id) IS NOT NULL
