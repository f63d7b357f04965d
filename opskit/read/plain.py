"""Plain items by compiled code: columns straight from the JSON, without an object per attribute.

What it does not take is left to `read.decode`'s own reader, which gives the same batches slower and
is all there is where the extension could not be built.
"""

from dataclasses import dataclass, field

import pyarrow as pa

from opskit.money import MAX_MINOR_UNITS
from opskit.read.schema import SCHEMAS
from opskit.tables.items import (
    COLUMNS,
    MARKER_PARTITIONS,
    PREFIXES,
    SINGLETONS,
    UNMATCHED_PARTITIONS,
    USER_PREFIX,
    Form,
    KindName,
    Layout,
)

try:
    from opskit.read import _plain as compiled
except ImportError:
    compiled = None  # type: ignore[assignment]

_FORMS = {Form.TEXT: 0, Form.WHOLE: 1, Form.FLAG: 2}
_MAP = 3
_LAYOUTS = (Layout.PK, Layout.USER_SUB)
_KINDS = tuple(kind for kind in KindName if kind not in {KindName.UNMATCHED, KindName.UNCLASSIFIED})
"""The kinds read here; an unmatched webhook is kept whole, as JSON, by the other reader."""

_NO_DEFECTS = pa.array([], pa.string())


@dataclass
class _Tree:
    """The contract's attributes as nodes, one for each map, and a slot for each other attribute."""

    nodes: list[dict[str, tuple[int, int]]] = field(default_factory=lambda: [{}])
    slots: int = 0

    def slot(self, path: tuple[str, ...], form: Form) -> int:
        """The slot of an attribute, made when it is first asked for."""
        node = self.nodes[0]
        for name in path[:-1]:
            if name not in node:
                node[name] = (_MAP, len(self.nodes))
                self.nodes.append({})
            node = self.nodes[node[name][1]]
        if path[-1] not in node:
            node[path[-1]] = (_FORMS[form], self.slots)
            self.slots += 1
        found, slot = node[path[-1]]
        if found != _FORMS[form]:
            raise TypeError(f"attribute {'.'.join(path)} has two forms")
        return slot


def _plan() -> "compiled.Plan":
    """The data contract in the form the compiled code takes."""
    tree = _Tree()
    keys = tuple(tree.slot((name,), Form.TEXT) for name in ("pk", "user_sub", "sk"))
    kinds = tuple(
        tuple(
            (tree.slot(column.path, column.form), _FORMS[column.form], int(column.required))
            for column in COLUMNS[kind]
        )
        for kind in _KINDS
    )
    nodes = tuple(
        tuple((name.encode(), form, target) for name, (form, target) in node.items())
        for node in tree.nodes
    )
    partitions = dict.fromkeys(sorted(MARKER_PARTITIONS), KindName.MARKERS)
    partitions |= dict.fromkeys(sorted(UNMATCHED_PARTITIONS), KindName.UNMATCHED)
    return compiled.make_plan(
        nodes,
        kinds,
        tree.slots,
        (keys[0], keys[1], keys[2]),
        _rules(partitions),
        _rules({f"{prefix}#": kind for prefix, kind in PREFIXES.items()}),
        _rules(SINGLETONS),
        USER_PREFIX.encode(),
        MAX_MINOR_UNITS,
    )


def _rules(kinds: dict[str, KindName]) -> tuple[tuple[bytes, int], ...]:
    return tuple(
        (text.encode(), _KINDS.index(kind) if kind in _KINDS else -1)
        for text, kind in kinds.items()
    )


_PLAN = _plan() if compiled else None


def plain_items(
    text: bytes, layout: Layout | None, *, wrapped: bool
) -> tuple[list[tuple[KindName, pa.RecordBatch]], list[bytes]] | None:
    """The plain items of a text as batches, and the JSON of every other item; None: read it all.

    The text is a JSON array of items or, `wrapped`, lines of `{"Item": {...}}`.
    """
    if _PLAN is None:
        return None
    place = -1 if layout is None else _LAYOUTS.index(layout)
    read = compiled.read_plain(_PLAN, text, place, wrapped)
    if read is None:
        return None
    groups, odd = read
    return [_batch(*group) for group in groups], [text[start:end] for start, end in odd]


def _batch(
    number: int, layout: int, rows: int, given: "list[compiled.ColumnBuffers]"
) -> tuple[KindName, pa.RecordBatch]:
    kind = _KINDS[number]
    schema = SCHEMAS[kind]
    arrays = [pa.repeat(pa.scalar(_LAYOUTS[layout].value, pa.string()), rows)]
    types = schema.types[1:-2]  # those between the layout and the defects
    arrays += [_array(type_, rows, column) for type_, column in zip(types, given, strict=True)]
    arrays += [empty_lists(rows), pa.nulls(rows, pa.string())]
    return kind, pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(type_: pa.DataType, rows: int, given: "compiled.ColumnBuffers") -> pa.Array:
    if given is None:
        return pa.nulls(rows, type_)
    nulls, *parts = given
    buffers = [None if part is None else pa.py_buffer(part) for part in parts]
    if type_ != pa.string():
        del buffers[1]  # the offsets, which only text has
    return pa.Array.from_buffers(type_, rows, buffers, nulls)


def empty_lists(size: int) -> pa.Array:
    """An empty list of defects for each item."""
    return pa.ListArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), size + 1), _NO_DEFECTS)
