"""What a snapshot of a table must hold, computed from the items by themselves."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from opskit.read.manifest import ReadVerdict
from opskit.read.repeats import REASON
from opskit.read.snapshot import Snapshot
from opskit.tables.items import COLUMNS, KindName
from tests.faults.items import Item, key_of

Row = dict[str, Any]


@dataclass(frozen=True)
class Held:
    """One row of a snapshot with the kind it is of."""

    kind: KindName
    row: Row

    @property
    def key(self) -> tuple[str, str]:
        """The key of its item."""
        return self.row["account"], self.row["sk"]

    def is_(self, item: Item) -> bool:
        """Whether the row says what the item says."""
        if self.row["item"] is not None:
            return bool(json.loads(self.row["item"]) == item)
        if self.row["defects"] or self.kind is KindName.UNCLASSIFIED:
            return False
        return all(self.row[column.name] == _value(item, column) for column in COLUMNS[self.kind])


def _value(item: Item, column: Any) -> Any:
    """What a column must show of an item: a number exact, a text as it is."""
    node: Any = item
    for name in column.path[:-1]:
        node = node.get(name, {}).get("M", {})
    value = node.get(column.path[-1], {}).get(column.form.value)
    return int(value) if column.form.value == "N" and value is not None else value


def rows_of(snapshot: Snapshot) -> list[Held]:
    """Every row of a snapshot."""
    return [
        Held(kind, row)
        for kind in KindName
        for path in snapshot.files(kind)
        for row in pq.read_table(path).to_pylist()
    ]


def fault_of(snapshot: Snapshot, items: Sequence[Item], *, conflicts: bool = False) -> str:
    """What is wrong with a snapshot of these items; "" when it is right for its verdict.

    COMPLETE, it holds every item once; otherwise only items of the table. With `conflicts`,
    copies that differ may lie in `unclassified`, where they say so.
    """
    rows = rows_of(snapshot)
    if snapshot.manifest.items != len(rows):
        return f"the manifest says {snapshot.manifest.items} items, the files hold {len(rows)}"
    by_key = {key_of(item): item for item in items}
    good = [held for held in rows if not (conflicts and set_aside(held))]
    for held in good:
        if held.key not in by_key or not held.is_(by_key[held.key]):
            return f"the row {held.key} of {held.kind} is not as in the table"
    if snapshot.manifest.verdict is not ReadVerdict.COMPLETE:
        return ""
    return _counted(good, {held.key for held in rows} - {held.key for held in good}, by_key)


def _counted(
    good: list[Held], aside: set[tuple[str, str]], by_key: dict[tuple[str, str], Item]
) -> str:
    """Whether each key is there once, or set aside."""
    times = Counter(held.key for held in good)
    repeated = [key for key, count in times.items() if count > 1 or key in aside]
    missing = by_key.keys() - times.keys() - aside
    if repeated:
        return f"{len(repeated)} keys are there twice, such as {repeated[0]}"
    return f"{len(missing)} items are missing, such as {min(missing)}" if missing else ""


def set_aside(held: Held) -> bool:
    """Whether a row is one of several copies that differ, and says so."""
    return held.kind is KindName.UNCLASSIFIED and REASON in held.row["defects"]
