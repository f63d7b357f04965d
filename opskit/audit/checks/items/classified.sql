-- id: items.classified
-- catalogue: SCH-03
-- severity: medium
-- title: Every item of the table is of a known kind
-- criterion: Each item's key places it in one kind of the service's data contract, and no key was read twice with different content.
-- remedy: Look at the item; a new kind of the service's belongs in the contract, anything else was written by something else.
-- population: SELECT count(*) FROM items
-- scope: item
SELECT
    coalesce(account, '') AS account,
    coalesce(sk, '') AS key,
    array_to_string(defects, '; ') AS condition,
    layout,
    length(item) AS item_characters
FROM unclassified
