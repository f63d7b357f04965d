"""DynamoDB JSON to Arrow: every item into exactly one kind, nothing dropped, nothing guessed.

The fast path decodes a page into typed structures made from the data contract. Only the items that
do not fit them are read again by `read.lenient`, which keeps each whole and says what is wrong.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from opskit.errors import CorruptResponseError
from opskit.read.columns import ABSENT_TEXT, column_array, key_texts
from opskit.read.kinds import kind_masks
from opskit.read.lenient import Row, lenient_row
from opskit.read.plain import empty_lists, plain_items
from opskit.read.schema import SCHEMAS, Batches
from opskit.read.typed import ITEM, ITEMS, LINE, RAW_ITEMS, RAW_LINE
from opskit.tables.items import COLUMNS, KindName, Layout

_UNFIT = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_Parts = dict[KindName, list[pa.RecordBatch]]


@dataclass(frozen=True, slots=True)
class _Group:
    """The items of one kind and layout: their places on the page, keys and structures."""

    kind: KindName
    layout: Layout
    rows: Sequence[int]
    accounts: pa.Array
    sks: pa.Array
    items: Sequence[Any]


@dataclass
class _Page:
    """One page's bytes, with its items as text when something needs them.

    The bytes are a JSON array of items, or lines that each hold one `wrapped`.
    """

    array: bytes
    wrapped: bool = False
    unfit: bool = False

    @property
    def lines(self) -> list[bytes]:
        """The lines of wrapped items."""
        return self.array.split(b"\n")[:-1]

    @cached_property
    def raws(self) -> list[msgspec.Raw]:
        """Each item's own JSON; CorruptResponseError when the bytes are not of their form."""
        try:
            if self.wrapped:
                return [line.Item for line in map(RAW_LINE.decode, self.lines)]
            return RAW_ITEMS.decode(self.array)
        except _UNFIT as error:
            form = "one on every line" if self.wrapped else "a JSON array"
            message = f"the items are not {form} ({error}); read again from the source"
            raise CorruptResponseError(message) from None

    @cached_property
    def careful(self) -> bool:
        """Whether any attribute of the page may be NULL, so that each has to be looked at."""
        return b"NULL" in self.array or b"\\" in self.array

    def text(self, row: int) -> str:
        """One item's JSON as text."""
        return bytes(self.raws[row]).decode("utf-8", "backslashreplace")

    def items(self) -> list[Any]:
        """The items as structures; None in the place of one that does not fit."""
        try:
            if self.wrapped:
                return [line.Item for line in map(LINE.decode, self.lines)]
            return ITEMS.decode(self.array)
        except _UNFIT:
            self.unfit = True
            return [_typed(raw) for raw in self.raws]


def _typed(raw: msgspec.Raw) -> Any:
    try:
        return ITEM.decode(raw)
    except _UNFIT:
        return None


def decode_items(array: bytes, layout: Layout | None = None) -> Batches:
    """The items of a JSON array of DynamoDB items, as one Arrow batch per kind.

    `layout` is the table's where it is known; otherwise each item's own key attribute tells.
    Raises CorruptResponseError when the bytes are not a JSON array.
    """
    return _joined(_decoded(_Page(array), layout))


def decode_lines(block: bytes) -> Batches:
    """The items of a block of lines, each `{"Item": {...}}`, as one Arrow batch per kind.

    Raises CorruptResponseError when a line is not one item.
    """
    return _joined(_decoded(_Page(block, wrapped=True), None))


def _decoded(page: _Page, layout: Layout | None) -> _Parts:
    """The plain items by compiled code, and those it leaves by the typed reader."""
    read = plain_items(page.array, layout, wrapped=page.wrapped)
    if read is None:
        return _typed_parts(page, layout)
    batches, odd = read
    parts: _Parts = {}
    for kind, batch in batches:
        parts.setdefault(kind, []).append(batch)
    rest = _typed_parts(_Page(b"[" + b",".join(odd) + b"]"), layout) if odd else {}
    for kind, found in rest.items():
        parts.setdefault(kind, []).extend(found)
    return parts


def _typed_parts(page: _Page, layout: Layout | None) -> _Parts:
    items = page.items()
    odd = [row for row, item in enumerate(items) if item is None] if page.unfit else []
    parts: _Parts = {}
    for place, rows in _by_layout(items, layout, odd):
        for group in _groups(items, place, rows, odd):
            batch, misfits = _batch(page, group)
            odd += misfits
            if batch.num_rows:
                parts.setdefault(group.kind, []).append(batch)
    lenient = [lenient_row(bytes(page.raws[row]), layout) for row in sorted(odd)]
    for kind, batch in batches_of(lenient).items():
        parts.setdefault(kind, []).append(batch)
    return parts


def _by_layout(
    items: Sequence[Any], layout: Layout | None, odd: Sequence[int]
) -> Iterator[tuple[Layout, Sequence[int]]]:
    """The rows of each layout, those left out that did not fit."""
    rows: Sequence[int] = range(len(items))
    if odd:
        left_out = frozenset(odd)
        rows = [row for row in rows if row not in left_out]
    if layout:
        return iter([(layout, rows)])
    sub = [row for row in rows if items[row].pk is ABSENT_TEXT]
    if not sub:
        return iter([(Layout.PK, rows)])
    in_sub = frozenset(sub)
    return iter([(Layout.PK, [row for row in rows if row not in in_sub]), (Layout.USER_SUB, sub)])


def _groups(
    items: Sequence[Any], layout: Layout, rows: Sequence[int], odd: list[int]
) -> Iterator[_Group]:
    """The items of one layout by kind; rows that must be read leniently are added to `odd`."""
    held = items if len(rows) == len(items) else [items[row] for row in rows]
    accounts = pa.array(key_texts(held, layout.value), pa.string())
    sks = pa.array(key_texts(held, "sk"), pa.string())
    taken: set[int] = set()
    for kind, mask in kind_masks(layout, accounts, sks):
        found = pc.indices_nonzero(mask)
        if len(found) == len(held):
            yield _Group(kind, layout, rows, accounts, sks, held)
            return
        places = found.to_pylist()
        taken.update(places)
        yield _Group(
            kind,
            layout,
            [rows[place] for place in places],
            accounts.take(found),
            sks.take(found),
            [held[place] for place in places],
        )
    odd += [row for place, row in enumerate(rows) if place not in taken]


def _batch(page: _Page, group: _Group) -> tuple[pa.RecordBatch, list[int]]:
    """A group's columns, and the page's rows that are not among them: read those leniently."""
    size = len(group.items)
    layout = pa.repeat(pa.scalar(group.layout.value, pa.string()), size)
    columns = [layout, group.accounts, group.sks]
    misfits: set[int] = set()
    for column in COLUMNS[group.kind]:
        array, unfit = column_array(column, group.items, careful=page.careful)
        columns.append(array)
        misfits.update(unfit)
    columns.append(empty_lists(size))
    if group.kind is KindName.UNMATCHED:
        columns.append(pa.array([page.text(row) for row in group.rows], pa.string()))
    else:
        columns.append(pa.nulls(size, pa.string()))
    batch = pa.RecordBatch.from_arrays(columns, schema=SCHEMAS[group.kind])
    if misfits:
        kept = [row for row in range(size) if row not in misfits]
        batch = batch.take(pa.array(kept, pa.int64()))
    return batch, [group.rows[row] for row in misfits]


def _joined(parts: _Parts) -> Batches:
    return {
        kind: found[0] if len(found) == 1 else pa.concat_batches(found)
        for kind, found in parts.items()
    }


def batches_of(rows: Iterable[tuple[KindName, Row]]) -> Batches:
    """Rows of any kinds as one Arrow batch per kind."""
    by_kind: dict[KindName, list[Row]] = {}
    for kind, row in rows:
        by_kind.setdefault(kind, []).append(row)
    return {
        kind: pa.RecordBatch.from_pylist(found, schema=SCHEMAS[kind])
        for kind, found in by_kind.items()
    }
