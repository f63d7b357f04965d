-- id: items.well_formed
-- catalogue: SCH-02
-- severity: high
-- title: Every item beside the ledger's entries has the shape the service writes
-- criterion: Each required attribute of a balance, payment, method, subscription, settings, profile or marker item is there, each known attribute has its type, and no payment's amount is negative.
-- remedy: Look at the item and at what wrote it; a balance with a counter that cannot be read leaves its account unjudged.
-- population: SELECT count(*) FROM items WHERE kind NOT IN ('entries', 'unclassified')
-- scope: item
SELECT account, sk AS key, array_to_string(defects, '; ') AS condition, kind
FROM items
WHERE len(defects) > 0 AND kind NOT IN ('entries', 'unclassified')
UNION ALL
SELECT account, sk, 'amount_cents: is negative', 'payments'
FROM payments
WHERE amount_cents < 0 AND len(defects) = 0
