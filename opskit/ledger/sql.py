"""Ad-hoc SQL over the books: read-only, bounded, and away from every file and every network.

It runs on a connection of its own that holds copies of the rows it names, with what is secret or
personal masked before they are copied, so that no alias and no function brings it back.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Timer
from typing import TYPE_CHECKING, Any

import duckdb

from opskit.errors import InputError
from opskit.ledger.books import Books
from opskit.ledger.documented import documented_views, view_names
from opskit.ledger.sql_guard import named_tables, one_line, require_harmless
from opskit.ledger.sql_room import MEMORY_LIMIT, empty_room, fill, lock
from opskit.ledger.stoppable import stoppable
from opskit.tables.personal import masked

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 10_000
MAX_BYTES = 64_000_000
SECONDS = 60.0
_FETCHED = 1_000

Value = object


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a query; `cut` when there were more than could be taken."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """One documented column of a view."""

    view: str
    about: str
    name: str
    type: str
    words: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a query may go: rows, bytes of text, seconds."""

    rows: int = MAX_ROWS
    bytes: int = MAX_BYTES
    seconds: float = SECONDS


_LIMITS = Limits()


def ask(books: Books, text: str, *, limits: Limits = _LIMITS) -> Answer:
    """The answer of one SELECT over the documented views, at most `limits.rows` of it.

    InputError for anything else, and for a query that fails or takes longer or more than `limits`.
    """
    with empty_room() as db:
        require_harmless(db, text, view_names())
        fill(db, books, named_tables(db, text))
        lock(db)
        statement = require_harmless(db, text, view_names())
        with _interrupted(db, limits.seconds):
            return stoppable(db, lambda: _answer(db, statement, limits))


def require_answerable(text: str) -> None:
    """InputError for what `ask` would refuse unasked; it costs no reading of any books."""
    with empty_room() as db:
        require_harmless(db, text, view_names())


def query(books: Books, text: str, *, limits: Limits = _LIMITS) -> "pd.DataFrame":
    """The whole answer as a frame: whole numbers stay whole numbers, absent ones are absent.

    InputError where it has more rows than `limits.rows`: a frame is never cut.
    """
    answer = ask(books, text, limits=limits)
    if answer.cut:
        raise InputError(f"the answer has over {limits.rows:,} rows; add LIMIT, or give limits")
    return frame_of(answer.names, answer.rows)


def schema() -> tuple[ViewColumn, ...]:
    """Every column of every documented view, with its type and its words."""
    with empty_room() as db:
        return tuple(
            ViewColumn(view.name, view.about, name, kind, view.column(name))
            for view in documented_views()
            for name, kind in _described(db, view.name)
        )


def _described(db: duckdb.DuckDBPyConnection, view: str) -> list[tuple[str, str]]:
    rows = db.execute(f'DESCRIBE "{view}"').fetchall()
    return [(str(row[0]), str(row[1])) for row in rows]


@contextmanager
def _interrupted(db: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Stop the connection's work after so many seconds."""
    timer = Timer(seconds, db.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except duckdb.InterruptException:
        message = f"the SQL took longer than {seconds:g} seconds and was stopped; narrow it"
        raise InputError(message) from None
    except duckdb.OutOfMemoryException:
        raise InputError(f"the SQL needs over {MEMORY_LIMIT} and was stopped; narrow it") from None
    except duckdb.Error as error:
        raise InputError(f"the SQL fails: {one_line(error)}") from None
    finally:
        timer.cancel()


def _answer(db: duckdb.DuckDBPyConnection, statement: duckdb.Statement, limits: Limits) -> Answer:
    described = _executed(db, statement)
    rows: list[tuple[Value, ...]] = []
    size = 0
    while len(rows) <= limits.rows:
        fetched = db.fetchmany(min(_FETCHED, limits.rows + 1 - len(rows)))
        if not fetched:
            break
        size += sum(_size(value) for row in fetched for value in row)
        if size > limits.bytes:
            raise InputError(f"the answer holds over {limits.bytes:,} characters; select less")
        rows += fetched
    names = tuple(name for name, _ in described)
    kept = [_masked_row(names, row) for row in rows[: limits.rows]]
    return Answer(
        names=names,
        types=tuple(kind for _, kind in described),
        rows=tuple(kept),
        cut=len(rows) > limits.rows,
    )


_WITH_ZONE = "TIMESTAMP WITH TIME ZONE"


def _executed(db: duckdb.DuckDBPyConnection, statement: duckdb.Statement) -> list[tuple[str, str]]:
    """Run a statement; the names and types of its columns, instants as times in UTC.

    Without the cast the engine would ask for a library of time zones.
    """
    db.execute(statement)
    described = [(str(column[0]), str(column[1])) for column in db.description or ()]
    if any(kind == _WITH_ZONE for _, kind in described):
        text = statement.query.rstrip().rstrip(";")
        columns = ", ".join(
            f"#{place}::TIMESTAMP" if kind == _WITH_ZONE else f"#{place}"
            for place, (_, kind) in enumerate(described, start=1)
        )
        db.execute(f"SELECT {columns} FROM (\n{text}\n)")
    return described


def _size(value: Value) -> int:
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, list | tuple):
        return sum(map(_size, value))
    return sum(map(_size, value.values())) if isinstance(value, dict) else 8


def _masked_row(names: Sequence[str], row: tuple[Value, ...]) -> tuple[Value, ...]:
    """A row with every value masked whose column has the name of something personal."""
    return tuple(
        value if name in _KEYS else masked(name, value)
        for name, value in zip(names, row, strict=True)
    )


_KEYS = frozenset({"account", "sk"})


def frame_of(names: Sequence[str], rows: Sequence[Sequence[Value]]) -> "pd.DataFrame":
    """A frame whose whole numbers are nullable integers, or objects beyond 64 bits."""
    import pandas as pd

    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    frame = pd.DataFrame({place: _series(column) for place, column in enumerate(columns)})
    frame.columns = pd.Index(names)
    return frame


def _series(values: Sequence[Value]) -> "pd.Series[Any]":
    import pandas as pd

    present = [value for value in values if value is not None]
    if present and all(type(value) is int for value in present):
        small = all(-(2**63) <= int(str(value)) < 2**63 for value in present)
        return pd.Series(list(values), dtype="Int64" if small else object)
    if present and all(type(value) is bool for value in present):
        return pd.Series(list(values), dtype="boolean")
    return pd.Series(list(values), dtype=object)
