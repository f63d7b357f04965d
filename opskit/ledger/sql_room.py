"""The room ad-hoc SQL runs in: copies of the rows it names, masked, behind a locked door."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from opskit.ledger.books import Books, add_views
from opskit.read.schema import SCHEMAS
from opskit.tables.items import COLUMNS, Form, KindName
from opskit.tables.personal import masked

MEMORY_LIMIT = "900MB"
_BATCH = 50_000


@contextmanager
def empty_room() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with empty tables of every kind and the views over them."""
    with TemporaryDirectory(prefix="opskit-sql-") as spill:
        db = duckdb.connect(
            config={
                "memory_limit": MEMORY_LIMIT,
                "temp_directory": spill,
                "max_temp_directory_size": "4GB",
                "python_enable_replacements": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        try:
            for kind in KindName:
                _add_rows(db, kind, SCHEMAS[kind].empty_table(), into="CREATE TABLE {} AS")
            add_views(db)
            db.execute("SET TimeZone = 'UTC'")
            db.execute("SET enable_progress_bar = false")  # it is drawn on stdout
            yield db
        finally:
            db.close()


def _add_rows(
    db: duckdb.DuckDBPyConnection,
    kind: KindName,
    rows: "pa.Table | pa.RecordBatchReader",
    *,
    into: str,
) -> None:
    db.register("incoming", rows)
    db.execute(f"{into.format(kind.value)} SELECT * FROM incoming")
    db.unregister("incoming")


def lock(db: duckdb.DuckDBPyConnection) -> None:
    """Shut every way out, for good."""
    db.execute("SET enable_external_access = false")
    db.execute("SET lock_configuration = true")


def _needed(db: duckdb.DuckDBPyConnection, named: Iterable[str]) -> set[KindName]:
    """The kinds of item that the named views read, through whatever other views."""
    rows = db.execute("SELECT view_name, sql FROM duckdb_views() WHERE NOT internal").fetchall()
    texts = {str(name): str(sql) for name, sql in rows}
    seen: set[str] = set()
    waiting = [*named]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += re.findall(r"[a-z_]+", texts.get(name, ""))
    return {kind for kind in KindName if kind in seen}


def fill(db: duckdb.DuckDBPyConnection, books: Books, named: Iterable[str]) -> None:
    """Copy what the named views read, masked, and the instant the books are judged at."""
    for kind in sorted(_needed(db, named)):
        reader = books.db.sql(f"SELECT {_masking(kind)} FROM {kind}").to_arrow_reader(_BATCH)
        schema = SCHEMAS[kind]
        masked_rows = (_with_masked_items(batch, schema) for batch in reader)
        rows = pa.RecordBatchReader.from_batches(schema, masked_rows)
        _add_rows(db, kind, rows, into="INSERT INTO {}")
    clock = books.one("SELECT * FROM clock")
    db.execute("DELETE FROM clock")
    marks = ", ".join("?" for _ in clock)
    db.execute(f"INSERT INTO clock VALUES ({marks})", [*clock.values()])


_ADDRESS = r"([^\s@])[^\s@]{0,63}@[^\s@]{1,255}\.[A-Za-z]{2,24}"
_MASKED = """
    CASE WHEN contains("{name}", '@')
        THEN regexp_replace("{name}", '{address}', '\\1•••@•••', 'g')
        ELSE "{name}" END AS "{name}" """


def _masking(kind: KindName) -> str:
    """The columns of a kind, addresses in every text masked; keys stay as stored."""
    texts = {column.name for column in COLUMNS[kind] if column.form is Form.TEXT}
    return ", ".join(
        _MASKED.format(name=name, address=_ADDRESS) if name in texts else f'"{name}"'
        for name in SCHEMAS[kind].names
    )


def _with_masked_items(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = {name: batch.column(name) for name in schema.names}
    if columns["item"].null_count < batch.num_rows:
        items = [
            None if item is None else _masked_item(item) for item in columns["item"].to_pylist()
        ]
        columns["item"] = pa.array(items, pa.string())
    return pa.RecordBatch.from_arrays(
        [columns[field.name].cast(field.type) for field in schema], schema=schema
    )


def _masked_item(text: str) -> str:
    """An item's JSON with everything secret or personal in it masked, at any depth."""
    return json.dumps(masked("", json.loads(text)), ensure_ascii=False)
