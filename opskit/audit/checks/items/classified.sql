-- id: items.classified
-- catalogue: SCH-03
-- severity: medium
-- title: Every item of the table is of a known kind
-- criterion: Each item's key places it in one kind of the service's data contract, and no key was read twice with different content.
-- remedy: Look at the item; a new kind of the service's belongs in the contract, anything else was written by something else.
-- population: SELECT count(*) FROM items
-- scope: item
-- The copies of a key, and items without one that look alike, are findings of their own: numbered.
WITH numbered AS (
    SELECT
        *,
        length(item) AS item_characters,
        count(*) OVER alike AS copies,
        row_number() OVER (alike ORDER BY sha256(item)) AS copy
    FROM unclassified
    WINDOW alike AS (
        PARTITION BY
            layout, account, sk,
            CASE WHEN account IS NULL OR sk IS NULL THEN length(item) END
    )
)
SELECT
    coalesce(account, '') AS account,
    coalesce(sk, '') AS key,
    array_to_string(defects, '; ') AS condition,
    layout,
    item_characters,
    CASE WHEN copies > 1 THEN copy END AS copy
FROM numbered
