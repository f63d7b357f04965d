-- id: settings.autopay_has_method
-- catalogue: SET-01
-- severity: medium
-- title: Autopay has a method to pay with
-- criterion: Settings with autopay on name a default payment method.
-- remedy: Have the customer choose a default, or turn autopay off.
-- population: SELECT count(*) FROM settings WHERE autopay_enabled
-- empty: autopay is on for nobody
SELECT
    account,
    sk AS key,
    'autopay is on without a default payment method' AS condition,
    currency
FROM settings
WHERE autopay_enabled AND coalesce(default_payment_method_id, default_payment_token_id) IS NULL
