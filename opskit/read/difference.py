"""What changed between two snapshots, item by item; an entry that was altered is an alarm.

Entries are only ever added, and may become settled or reversed. One that vanished, or whose
amount, type or reason is another, was altered outside the service.
"""

from dataclasses import dataclass
from enum import StrEnum

import duckdb

from opskit.read.repeats import bounded_duckdb
from opskit.read.schema import SCHEMAS
from opskit.read.snapshot import Snapshot, require_complete
from opskit.tables.items import KindName

LISTED = 1_000
"""So many items of each kind are listed, alarms first; all are counted."""

FIXED = frozenset({"entry_id", "ts", "type", "amount_cents", "reason"})
"""The columns of an entry that never change."""


class Change(StrEnum):
    """What became of an item from one snapshot to the next."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class ItemChange:
    """One item that differs, with the columns that do."""

    kind: KindName
    change: Change
    account: str
    sk: str
    columns: tuple[str, ...] = ()
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class KindDifference:
    """How the items of one kind differ; `listed` are the first of them, alarms first."""

    kind: KindName
    added: int
    removed: int
    changed: int
    alarms: int
    listed: tuple[ItemChange, ...]


def snapshot_difference(before: Snapshot, after: Snapshot) -> tuple[KindDifference, ...]:
    """The kinds whose items differ between two complete snapshots, in the order of kinds."""
    for snapshot in (before, after):
        require_complete(snapshot)
    with bounded_duckdb() as db:
        found = [_kind_difference(db, before, after, kind) for kind in KindName]
    return tuple(one for one in found if one.added or one.removed or one.changed)


def _kind_difference(
    db: duckdb.DuckDBPyConnection, before: Snapshot, after: Snapshot, kind: KindName
) -> KindDifference:
    for name, snapshot in (("a", before), ("b", after)):
        _add_side(db, name, snapshot, kind)
    query = _multiset() if kind is KindName.UNCLASSIFIED else _by_key(kind)
    db.execute(f"CREATE OR REPLACE TEMP TABLE differing AS {query}")
    counts = dict(db.execute("SELECT change, count(*) FROM differing GROUP BY change").fetchall())
    [(alarms,)] = db.execute("SELECT count(*) FROM differing WHERE alarm").fetchall()
    rows = db.execute(
        "SELECT change, account, sk, columns, alarm FROM differing "
        f"ORDER BY alarm DESC, account, sk, change LIMIT {LISTED}"
    ).fetchall()
    listed = tuple(
        ItemChange(kind, Change(change), account or "", sk or "", tuple(columns), bool(alarm))
        for change, account, sk, columns, alarm in rows
    )
    added, removed, changed = (int(counts.get(change.value, 0)) for change in Change)
    return KindDifference(kind, added, removed, changed, int(alarms), listed)


def _add_side(db: duckdb.DuckDBPyConnection, name: str, snapshot: Snapshot, kind: KindName) -> None:
    """A view of one snapshot's items of a kind, empty where it has none."""
    files = ", ".join(
        f"'{str(path).replace(chr(39), chr(39) * 2)}'" for path in snapshot.files(kind)
    )
    if files:
        db.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM read_parquet([{files}])")
        return
    db.register(f"empty_{name}", SCHEMAS[kind].empty_table())
    db.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM empty_{name}")


def _by_key(kind: KindName) -> str:
    """The items of a kind that differ, matched by their keys."""
    names = [field.name for field in SCHEMAS[kind] if field.name not in {"account", "sk", "layout"}]
    differing = ", ".join(
        f"CASE WHEN a.{name} IS DISTINCT FROM b.{name} THEN '{name}' END" for name in names
    )
    fixed = ", ".join(f"'{name}'" for name in sorted(FIXED))
    altered = f"change = 'removed' OR (change = 'changed' AND list_has_any(columns, [{fixed}]))"
    return f"""
        WITH matched AS (
            SELECT CASE WHEN a.sk IS NULL THEN 'added' WHEN b.sk IS NULL THEN 'removed'
                        ELSE 'changed' END AS change,
                   coalesce(a.account, b.account) AS account, coalesce(a.sk, b.sk) AS sk,
                   CASE WHEN a.sk IS NULL OR b.sk IS NULL THEN []
                        ELSE list_filter([{differing}], lambda name: name IS NOT NULL)
                   END AS columns
            FROM a FULL JOIN b ON a.layout = b.layout AND a.account = b.account AND a.sk = b.sk)
        SELECT *, {altered if kind is KindName.ENTRIES else "false"} AS alarm FROM matched
        WHERE change <> 'changed' OR len(columns) > 0"""


def _multiset() -> str:
    """Items without a dependable key that one side holds more often than the other."""
    columns = "layout, account, sk, defects, item"
    return f"""
        SELECT 'removed' AS change, account, sk, []::VARCHAR[] AS columns, false AS alarm
        FROM (SELECT {columns} FROM a EXCEPT ALL SELECT {columns} FROM b)
        UNION ALL
        SELECT 'added', account, sk, [], false
        FROM (SELECT {columns} FROM b EXCEPT ALL SELECT {columns} FROM a)"""
