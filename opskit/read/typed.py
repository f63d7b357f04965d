"""The structures the fast decoder reads items into, made from the data contract.

An attribute an item lacks is one shared instance of its form, so that a whole column can be
fetched by `operator.attrgetter` without a Python call per item.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from opskit.tables.items import COLUMNS, Form


class Text(msgspec.Struct, forbid_unknown_fields=True, gc=False, eq=False, frozen=True):
    """A DynamoDB String, or NULL."""

    S: str = None  # type: ignore[assignment]
    NULL: bool = None  # type: ignore[assignment]


class Number(msgspec.Struct, forbid_unknown_fields=True, gc=False, eq=False, frozen=True):
    """A DynamoDB Number, or NULL."""

    N: str = None  # type: ignore[assignment]
    NULL: bool = None  # type: ignore[assignment]


class Flag(msgspec.Struct, forbid_unknown_fields=True, gc=False, eq=False, frozen=True):
    """A DynamoDB Boolean, or NULL."""

    BOOL: bool = None  # type: ignore[assignment]
    NULL: bool = None  # type: ignore[assignment]


FORMS: dict[Form, type] = {Form.TEXT: Text, Form.WHOLE: Number, Form.FLAG: Flag}
ABSENT: dict[Form, Any] = {form: kind() for form, kind in FORMS.items()}
"""What an attribute of each form is when the item does not have it."""


def _structure(name: str, tree: Mapping[str, Any]) -> type:
    """A structure whose fields are the tree's attributes, each optional."""
    fields: list[tuple[str, Any, Any]] = []
    for attribute, branch in tree.items():
        if isinstance(branch, Form):
            fields.append((attribute, FORMS[branch], ABSENT[branch]))
            continue
        inner = _structure(f"{name}_{attribute}", branch)
        wrapped = msgspec.defstruct(
            f"{name}_{attribute}_M",
            [("M", inner, inner())],
            gc=False,
            eq=False,
            frozen=True,
            forbid_unknown_fields=True,
        )
        fields.append((attribute, wrapped, wrapped()))
    return msgspec.defstruct(name, fields, gc=False, eq=False, frozen=True)


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
ITEM: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_Item)
ITEMS: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[_Item])  # type: ignore[valid-type]
RAW_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


class RawLine(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A line of a capture or an export, its item left as it came."""

    Item: msgspec.Raw


_Line = msgspec.defstruct("Line", [("Item", _Item)], gc=False, forbid_unknown_fields=True)
LINE: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_Line)
RAW_LINE = msgspec.json.Decoder(RawLine)
