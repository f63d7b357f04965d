"""A snapshot opened as books: one DuckDB connection with the ledger's views, read-only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from tempfile import TemporaryDirectory
from typing import Self

import duckdb
import pyarrow as pa

from opskit.ledger.posting_rules import posting_rules
from opskit.ledger.stoppable import stoppable
from opskit.money import THREE_DECIMAL, ZERO_DECIMAL, decimals
from opskit.read.manifest import Manifest, SourceKind
from opskit.read.schema import SCHEMAS
from opskit.read.snapshot import Snapshot, require_complete
from opskit.tables.items import COUNTERS, KindName, Layout

MEMORY_LIMIT = "900MB"
HELD_IN_MEMORY = 20_000
"""Kinds of up to so many items are read once: opening the files again for each query takes longer
than the query."""

CLOCK_SKEW = 300
"""How many seconds the service's clock may be ahead of the auditor's."""

_TYPES = {
    pa.string(): "VARCHAR",
    pa.int64(): "BIGINT",
    pa.bool_(): "BOOLEAN",
    pa.list_(pa.string()): "VARCHAR[]",
}

Row = dict[str, object]
"""One row of an answer: column names to plain values."""


@dataclass(frozen=True, slots=True)
class Books:
    """A complete snapshot with its views; close it when done."""

    db: duckdb.DuckDBPyConnection
    manifest: Manifest
    spill: TemporaryDirectory[str]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.db.close()
        self.spill.cleanup()

    def rows(self, query: str, parameters: Mapping[str, object] | None = None) -> list[Row]:
        """The rows of a query as mappings, in the query's order."""
        return stoppable(self.db, lambda: self._rows(query, dict(parameters or {})))

    def _rows(self, query: str, parameters: dict[str, object]) -> list[Row]:
        answer = self.db.execute(query, parameters)
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def one(self, query: str, parameters: Mapping[str, object] | None = None) -> Row:
        """The single row of a query that always has one."""
        [row] = self.rows(query, parameters)
        return row

    def compute_once(self, view: str) -> None:
        """Keep a view's rows, for many queries that all read it."""
        kept = f"CREATE TEMP TABLE {view}_rows AS SELECT * FROM {view}"
        stoppable(self.db, lambda: self.db.execute(kept))
        self.db.execute(f"CREATE OR REPLACE VIEW {view} AS SELECT * FROM temp.{view}_rows")

    def views(self) -> frozenset[str]:
        """The names of every table and view of the books."""
        rows = self.rows("SELECT table_name FROM information_schema.tables")
        return frozenset(str(row["table_name"]).lower() for row in rows)

    def layouts(self) -> Sequence[Layout]:
        """The key layouts that the books' accounts have."""
        found = self.rows("SELECT DISTINCT layout FROM accounts ORDER BY layout")
        return [Layout(str(row["layout"])) for row in found]


def open_books(snapshot: Snapshot) -> Books:
    """The books of a complete snapshot; IncompleteReadError for any other.

    The connection can read the snapshot's folder and nothing else, and its configuration is
    locked: SQL that comes in from outside reaches no other file and no network. Work that does
    not fit in MEMORY_LIMIT goes to a folder of the connection's own.
    """
    require_complete(snapshot)
    spill = TemporaryDirectory(prefix="opskit-spill-")
    db = duckdb.connect(
        config={
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": spill.name,
            "preserve_insertion_order": False,
            "python_enable_replacements": False,
        }
    )
    db.execute("SET enable_progress_bar = false")  # it is drawn on stdout, where documents go
    db.execute("SET parquet_metadata_cache = true")  # the files stay as their hashes say
    for kind in KindName:
        _add_kind(db, snapshot, kind)
    add_views(db)
    db.execute(f"SET allowed_directories = ['{_quoted(str(snapshot.path.resolve()))}']")
    db.execute("SET enable_external_access = false")
    db.execute("SET lock_configuration = true")
    return Books(db, snapshot.manifest, spill)


def add_views(db: duckdb.DuckDBPyConnection) -> None:
    """Add the ledger's views, and the rules they follow, to the tables of every kind of item."""
    _add_posting_rules(db)
    _add_currencies(db)
    db.execute(files("opskit.ledger").joinpath("views.sql").read_text("utf-8"))


def set_clock(books: Books, as_of: int, settle_window: int) -> None:
    """Set the instant the books are judged at, in epoch seconds, and how long a write may take.

    A live table was read over a while: what was written until its read ended is not in the future.
    An export is of one instant, and may hold half of a transaction of just before it.
    """
    source = books.manifest.source
    horizon = edge = as_of
    if source.kind is SourceKind.TABLE:
        horizon = max(as_of, _epoch_seconds(books.manifest.ended))
    elif source.as_of:
        horizon = max(as_of, _epoch_seconds(source.as_of))
        edge = min(as_of, _epoch_seconds(source.as_of))
    books.db.execute(
        "UPDATE clock SET as_of = ?, settle_window = ?, horizon = ?, edge = ?",
        [as_of, settle_window, horizon + CLOCK_SKEW, edge],
    )


def _epoch_seconds(instant: str) -> int:
    return int(datetime.fromisoformat(instant).timestamp())


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _add_kind(db: duckdb.DuckDBPyConnection, snapshot: Snapshot, kind: KindName) -> None:
    """A kind's files as a view, or as a table where they are small or there are none."""
    paths = ", ".join(f"'{_quoted(str(path.resolve()))}'" for path in snapshot.files(kind))
    if not paths:
        columns = ", ".join(f'"{field.name}" {_TYPES[field.type]}' for field in SCHEMAS[kind])
        db.execute(f"CREATE TABLE {kind} ({columns})")
        return
    shape = "TABLE" if snapshot.rows(kind) <= HELD_IN_MEMORY else "VIEW"
    db.execute(f"CREATE {shape} {kind} AS SELECT * FROM read_parquet([{paths}])")


def _add_posting_rules(db: duckdb.DuckDBPyConnection) -> None:
    """The posting rules as a table; NULL where a rule holds for any."""
    effects = ", ".join(f"{counter} TINYINT" for counter in COUNTERS)
    db.execute(
        "CREATE TABLE posting_rules "
        f"(name VARCHAR, type VARCHAR, state VARCHAR, reason VARCHAR, {effects})"
    )
    rows = [
        (rule.name, rule.type, rule.state, rule.reason, *rule.effect.values())
        for rule in posting_rules()
    ]
    _insert(db, "posting_rules", rows)


def _add_currencies(db: duckdb.DuckDBPyConnection) -> None:
    """The currencies whose minor unit is not a hundredth, with their decimals."""
    db.execute("CREATE TABLE currency_decimals (currency VARCHAR, decimals TINYINT)")
    codes = sorted(ZERO_DECIMAL | THREE_DECIMAL)
    _insert(db, "currency_decimals", [(code, decimals(code)) for code in codes])


def _insert(
    db: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[str | int | None, ...]]
) -> None:
    """Insert rows in one statement, which is planned once."""
    marks = ", ".join(f"({', '.join('?' for _ in row)})" for row in rows)
    db.execute(f"INSERT INTO {table} VALUES {marks}", [value for row in rows for value in row])
