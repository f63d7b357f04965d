"""Keys that were read more than once: identical copies kept once, differing ones set aside.

A table holds a key once, but a scan may meet an item twice while writers move it, and captures may
overlap. Copies that differ cannot both be the item, so all of them go whole to `unclassified`.
"""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from opskit.read.schema import SCHEMAS
from opskit.tables.items import KindName

REASON = "the same key was read more than once with different content"


def settle_repeats(folder: Path) -> int:
    """Rewrite the files that repeat a key; the number of copies left out or set aside."""
    with duckdb.connect() as db:
        kinds = [kind for kind in KindName if kind is not KindName.UNCLASSIFIED]
        return sum(_settle(db, folder, kind) for kind in kinds)


def _settle(db: duckdb.DuckDBPyConnection, folder: Path, kind: KindName) -> int:
    path = folder / f"{kind}.parquet"
    if not path.exists():
        return 0
    [(repeats,)] = db.execute(
        """
        SELECT count(*) > count(DISTINCT (layout, account, sk)) FROM read_parquet(?)""",
        [str(path)],
    ).fetchall()
    if not repeats:
        return 0
    before = pq.read_metadata(path).num_rows
    db.execute(
        "CREATE OR REPLACE TEMP TABLE copies AS SELECT DISTINCT * FROM read_parquet(?)", [str(path)]
    )
    db.execute("""
        CREATE OR REPLACE TEMP TABLE conflicts AS
        SELECT layout, account, sk FROM copies GROUP BY ALL HAVING count(*) > 1""")
    kept = db.sql("SELECT * FROM copies ANTI JOIN conflicts USING (layout, account, sk)")
    table = kept.to_arrow_table().cast(SCHEMAS[kind])
    _set_aside(db, folder)
    pq.write_table(table, path, compression="zstd")
    return before - table.num_rows


def _set_aside(db: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Append every copy of a conflicting key to `unclassified`, as JSON of its columns."""
    schema = SCHEMAS[KindName.UNCLASSIFIED]
    aside = db.sql(
        """
        SELECT layout, account, sk, [?] AS defects, coalesce(copies.item, to_json(copies)) AS item
        FROM copies SEMI JOIN conflicts USING (layout, account, sk)""",
        params=[REASON],
    ).to_arrow_table()
    if not aside.num_rows:
        return
    path = folder / f"{KindName.UNCLASSIFIED}.parquet"
    tables = [aside.cast(schema)]
    if path.exists():
        tables.insert(0, pq.read_table(path, schema=schema))
    pq.write_table(pa.concat_tables(tables), path, compression="zstd")
