"""DynamoDB JSON to Arrow: every item into exactly one kind, nothing dropped, nothing guessed.

The fast path decodes a batch into typed structures made from the data contract. An item that does
not fit them is read again by `read.lenient`, which keeps it whole and says what is wrong with it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from opskit.errors import CorruptResponseError
from opskit.money import MAX_MINOR_UNITS
from opskit.read.lenient import Row, lenient_row
from opskit.read.schema import SCHEMAS
from opskit.tables.items import COLUMNS, Column, Form, KindName, Layout, kind_of

Batches = dict[KindName, pa.RecordBatch]
"""One Arrow batch for each kind that a page of items holds."""

KEPT_WHOLE = frozenset({KindName.UNMATCHED, KindName.UNCLASSIFIED})


class _Text(msgspec.Struct, forbid_unknown_fields=True):
    S: str | None = None
    NULL: bool | None = None


class _Number(msgspec.Struct, forbid_unknown_fields=True):
    N: str | None = None
    NULL: bool | None = None


class _Flag(msgspec.Struct, forbid_unknown_fields=True):
    BOOL: bool | None = None
    NULL: bool | None = None


_FORMS: dict[Form, type] = {Form.TEXT: _Text, Form.WHOLE: _Number, Form.FLAG: _Flag}


def _structure(name: str, tree: Mapping[str, Any]) -> type:
    """A structure whose fields are the tree's attributes, each optional."""
    fields: list[tuple[str, Any, Any]] = []
    for attribute, branch in tree.items():
        if isinstance(branch, Form):
            kind = _FORMS[branch]
        else:
            inner = _structure(f"{name}_{attribute}", branch)
            kind = msgspec.defstruct(f"{name}_{attribute}_M", [("M", inner)])
        fields.append((attribute, kind | None, None))
    return msgspec.defstruct(name, fields, gc=False)


def _attribute_tree() -> dict[str, Any]:
    """Every attribute of the contract as a tree of forms, nested maps as branches."""
    tree: dict[str, Any] = dict.fromkeys(("pk", "user_sub", "sk"), Form.TEXT)
    for columns in COLUMNS.values():
        for column in columns:
            node = tree
            for name in column.path[:-1]:
                node = node.setdefault(name, {})
            node[column.path[-1]] = column.form
    return tree


_Item = _structure("Item", _attribute_tree())
_ITEMS = msgspec.json.Decoder(list[_Item])  # type: ignore[valid-type]
_ITEM = msgspec.json.Decoder(_Item)
_RAW_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(slots=True)
class _Group:
    """The items of one kind on their way into columns."""

    accounts: list[str] = field(default_factory=list)
    layouts: list[str] = field(default_factory=list)
    sks: list[str] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)


def decode_items(array: bytes, layout: Layout | None = None) -> Batches:
    """The items of a JSON array of DynamoDB items, as one Arrow batch per kind.

    `layout` is the table's where it is known; otherwise each item's own key attribute tells.
    Raises CorruptResponseError when the bytes are not a JSON array.
    """
    try:
        items = _ITEMS.decode(array)
    except msgspec.DecodeError:
        return _decode_singly(array, layout)
    groups: dict[KindName, _Group] = {}
    for item in items:
        if not _place(item, layout, groups):
            return _decode_singly(array, layout)
    try:
        return {kind: _batch(kind, group) for kind, group in groups.items()}
    except (pa.ArrowInvalid, ValueError):
        return _decode_singly(array, layout)


def _place(item: Any, layout: Layout | None, groups: dict[KindName, _Group]) -> bool:
    """Put a typed item into its kind's group; False when it must be read leniently."""
    key = item.pk if layout is not Layout.USER_SUB else item.user_sub
    place = layout or Layout.PK
    if key is None and layout is None:
        key, place = item.user_sub, Layout.USER_SUB
    if key is None or item.sk is None or key.S is None or item.sk.S is None:
        return False
    kind = kind_of(place, key.S, item.sk.S)
    if kind in KEPT_WHOLE:
        return False
    group = groups.setdefault(kind, _Group())
    group.layouts.append(place)
    group.accounts.append(key.S)
    group.sks.append(item.sk.S)
    group.items.append(item)
    return True


def _batch(kind: KindName, group: _Group) -> pa.RecordBatch:
    """A group's columns; raises ValueError when any item must be read leniently."""
    size = len(group.items)
    columns = [pa.array(values, pa.string()) for values in (group.layouts, group.accounts, group.sks)]
    columns += [_column(column, group.items) for column in COLUMNS[kind]]
    columns += [
        pa.array([[]] * size, pa.list_(pa.string())),
        pa.nulls(size, pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMAS[kind])


def _column(column: Column, items: list[Any]) -> pa.Array:
    """One attribute of every item as an array of its type."""
    values: list[Any] = [getattr(item, column.path[0]) for item in items]
    for name in column.path[1:]:
        values = [value and getattr(value.M, name) for value in values]
    member = column.form.value
    array = pa.array(
        [value and getattr(value, member) for value in values],
        pa.bool_() if column.form is Form.FLAG else pa.string(),
    )
    if column.required and array.null_count:
        raise ValueError(column.name)
    return _whole_numbers(array) if column.form is Form.WHOLE else array


def _whole_numbers(texts: pa.Array) -> pa.Array:
    """Numbers spelled as text, as 64-bit integers within the limit of money."""
    numbers = pc.cast(texts, pa.int64())
    bounds = pc.min_max(numbers).as_py()
    if bounds["max"] is not None and max(-bounds["min"], bounds["max"]) > MAX_MINOR_UNITS:
        raise ValueError(bounds)
    return numbers


def _decode_singly(array: bytes, layout: Layout | None) -> Batches:
    """The same answer, an item at a time: for a batch that holds anything unusual."""
    try:
        raws = _RAW_ITEMS.decode(array)
    except msgspec.DecodeError as error:
        message = f"the items are not a JSON array ({error}); read again from the source"
        raise CorruptResponseError(message) from None
    return batches_of(lenient_row(bytes(raw), layout) for raw in raws)


def batches_of(rows: Iterable[tuple[KindName, Row]]) -> Batches:
    """Rows of any kinds as one Arrow batch per kind."""
    by_kind: dict[KindName, list[Row]] = {}
    for kind, row in rows:
        by_kind.setdefault(kind, []).append(row)
    return {
        kind: pa.RecordBatch.from_pylist(found, schema=SCHEMAS[kind])
        for kind, found in by_kind.items()
    }
