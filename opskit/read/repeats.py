"""Keys that were read more than once: identical copies kept once, differing ones set aside.

A table holds a key once, but a scan may meet an item twice while writers move it, and captures may
overlap. Copies that differ cannot both be the item, so all of them go whole to `unclassified`.
An item whose key cannot be read is never taken for another's copy.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from duckdb.func import FunctionNullHandling, PythonUDFType

from opskit.read.rowgroups import ROWS, kind_writer
from opskit.read.schema import SCHEMAS
from opskit.read.spelling import content_digests
from opskit.tables.items import KindName

REASON = "the same key was read more than once with different content"

_KEY = "hash(layout, account, sk)"
_AT_ONCE = 400_000
_COMPARING = "256MB"
"""So many copies are compared at once, and in what memory: only reads with repeats need it."""


def settle_repeats(folder: Path) -> int:
    """Rewrite the files that repeat a key; the number of copies left out or set aside."""
    with bounded_duckdb() as db:
        text = duckdb.sqltype("VARCHAR")
        db.create_function(
            "content_digest",
            content_digests,
            [text],
            text,
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )
        # First what is unclassified already, before the other kinds put their conflicts there.
        kinds = sorted(KindName, key=lambda kind: kind is not KindName.UNCLASSIFIED)
        return sum(_settle(db, folder, kind) for kind in kinds)


@contextmanager
def bounded_duckdb() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose memory does not grow with the table: what is more goes to disk."""
    with TemporaryDirectory(prefix="opskit-") as spill, duckdb.connect() as db:
        db.execute("SET memory_limit = '64MB'")
        db.execute("SET threads = 2")
        db.execute("SET enable_progress_bar = false")  # it is drawn on stdout, where documents go
        db.execute("SET preserve_insertion_order = false")
        db.execute(f"SET temp_directory = '{spill.replace(chr(39), chr(39) * 2)}'")
        yield db


def kind_files(folder: Path, kind: KindName) -> list[Path]:
    """The Parquet files of a kind in a folder, in the order they were begun."""
    return sorted(folder.glob(f"{kind}.parquet")) + sorted(folder.glob(f"{kind}.*.parquet"))


def _settle(db: duckdb.DuckDBPyConnection, folder: Path, kind: KindName) -> int:
    paths = kind_files(folder, kind)
    if not paths:
        return 0
    names = [str(path) for path in paths]
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE repeats AS SELECT {_KEY} AS key, count(*) AS copies "
        "FROM read_parquet(?) WHERE account IS NOT NULL AND sk IS NOT NULL "
        "GROUP BY 1 HAVING copies > 1",
        [names],
    )
    [(found,)] = db.execute("SELECT coalesce(sum(copies), 0)::BIGINT FROM repeats").fetchall()
    if not found:
        return 0
    _find_conflicts(db, names, parts=found // _AT_ONCE + 1)
    before = sum(int(pq.read_metadata(path).num_rows) for path in paths)
    kept = _rewrite(db, folder / f"{kind}.settled", kind, names)
    _set_aside(db, folder, kind)
    for path in paths:
        path.unlink()
    (folder / f"{kind}.settled").rename(folder / f"{kind}.parquet")
    return before - kept


def _find_conflicts(db: duckdb.DuckDBPyConnection, names: list[str], *, parts: int) -> None:
    """Make `copies`, the distinct rows of repeated keys, and `conflicts`, keys with several.

    Items kept as JSON are one when they say the same; one spelling of them stays.
    """
    distinct = (
        "SELECT * EXCLUDE (content) FROM (SELECT * EXCLUDE (item), min(item) AS item FROM ("
        "SELECT *, content_digest(item) AS content FROM read_parquet($names) "
        f"WHERE {_KEY} IN (SELECT key FROM repeats WHERE key % $parts = $part)) GROUP BY ALL)"
    )
    db.execute(f"SET memory_limit = '{_COMPARING}'")
    for part in range(parts):
        make = "INSERT INTO copies" if part else "CREATE OR REPLACE TEMP TABLE copies AS"
        db.execute(f"{make} {distinct}", {"names": names, "parts": parts, "part": part})
    db.execute(
        "CREATE OR REPLACE TEMP TABLE conflicts AS "
        "SELECT layout, account, sk FROM copies GROUP BY ALL HAVING count(*) > 1"
    )


def _rewrite(db: duckdb.DuckDBPyConnection, path: Path, kind: KindName, names: list[str]) -> int:
    """Write a kind's items that stay to a new file, once each; the number of them."""
    queries: tuple[tuple[str, list[object]], ...] = (
        ("SELECT * FROM read_parquet(?) WHERE {key} NOT IN (SELECT key FROM repeats)", [names]),
        ("SELECT * FROM copies ANTI JOIN conflicts USING (layout, account, sk)", []),
    )
    rows = 0
    with kind_writer(path, kind) as writer:
        for query, values in queries:
            answer = db.sql(query.format(key=_KEY), params=values or None)
            reader: pa.RecordBatchReader = answer.to_arrow_reader(ROWS)
            for batch in reader:
                writer.write_batch(batch.cast(SCHEMAS[kind]))
                rows += int(batch.num_rows)
    return rows


def _set_aside(db: duckdb.DuckDBPyConnection, folder: Path, kind: KindName) -> None:
    """Put every copy of a kind's conflicting keys into `unclassified`, as JSON of its columns."""
    schema = SCHEMAS[KindName.UNCLASSIFIED]
    answer = db.sql(
        """
        SELECT layout, account, sk, [?] AS defects, coalesce(copies.item, to_json(copies)) AS item
        FROM copies SEMI JOIN conflicts USING (layout, account, sk)""",
        params=[REASON],
    )
    aside: pa.Table = answer.to_arrow_table()
    if aside.num_rows:
        path = folder / f"{KindName.UNCLASSIFIED}.repeated_{kind}.parquet"
        pq.write_table(aside.cast(schema), path, compression="zstd")
