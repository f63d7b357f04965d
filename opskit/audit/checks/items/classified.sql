-- id: items.classified
-- catalogue: SCH-03
-- severity: medium
-- title: Every item of the table is of a known kind
-- criterion: Each item's key places it in one kind of the service's data contract, and no key was read twice with different content.
-- remedy: Look at the item; a new kind of the service's belongs in the contract, anything else was written by something else.
-- population: SELECT count(*) FROM items
-- scope: item
-- The copies of a key, and items without one that look alike, are findings of their own: numbered.
-- `content` stands for what an item says, whatever way its JSON spells it.
WITH held AS (
    SELECT
        row_number() OVER () AS n,
        layout,
        account,
        sk,
        defects,
        CASE WHEN json_valid(item) THEN item ELSE CAST(to_json(item) AS VARCHAR) END AS item
    FROM unclassified
),
said AS (
    SELECT n, substr(sha256(string_agg(concat(fullkey, ' ', nodes.type, ' ', atom), chr(10)
        ORDER BY fullkey, CAST(atom AS VARCHAR))), 1, 16) AS content
    FROM held, json_tree(held.item) AS nodes
    GROUP BY n
),
numbered AS (
    SELECT
        *,
        count(*) OVER alike AS copies,
        row_number() OVER (alike ORDER BY content) AS copy
    FROM held LEFT JOIN said USING (n)
    WINDOW alike AS (
        PARTITION BY
            layout, account, sk,
            CASE WHEN account IS NULL OR sk IS NULL THEN content END
    )
)
SELECT
    coalesce(account, '') AS account,
    coalesce(sk, '') AS key,
    array_to_string(defects, '; ') AS condition,
    layout,
    content,
    CASE WHEN copies > 1 THEN copy END AS copy
FROM numbered
