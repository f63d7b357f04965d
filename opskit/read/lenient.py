"""Reading an item that may be anything: its kind, what can be read, and what is wrong with it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from opskit.money import whole_number
from opskit.tables.items import COLUMNS, Column, Form, KindName, Layout, kind_of

Row = dict[str, Any]
"""A kind's columns by name, as `read.schema` types them."""

_TYPE_NAMES = {
    "S": "text",
    "N": "a Number",
    "BOOL": "a Boolean",
    "NULL": "null",
    "B": "binary",
    "M": "a map",
    "L": "a list",
    "SS": "a set",
    "NS": "a set",
    "BS": "a set",
}
_WANTED = {Form.TEXT: "text", Form.WHOLE: "a Number", Form.FLAG: "a Boolean"}


def lenient_row(raw: bytes, layout: Layout | None) -> tuple[KindName, Row]:
    """The kind and columns of one item given as DynamoDB JSON; never raises on its content."""
    text = raw.decode("utf-8", "backslashreplace")
    try:
        item = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = f"cannot be decoded ({str(error)[:80]})"
        return KindName.UNCLASSIFIED, _unclassified(None, None, None, text, reason)
    if not isinstance(item, dict):
        return KindName.UNCLASSIFIED, _unclassified(None, None, None, text, "is not a map")
    place, account, key_defect = _partition(item, layout)
    sk, sk_defect = _value(item.get("sk"), Form.TEXT)
    if account is None or sk is None:
        reason = key_defect or f"sk: {sk_defect or 'missing'}"
        return KindName.UNCLASSIFIED, _unclassified(place, account, sk, text, reason)
    kind = kind_of(place, account, sk)
    if kind is KindName.UNCLASSIFIED:
        reason = "no kind of the contract has this key"
        return kind, _unclassified(place, account, sk, text, reason)
    return kind, _classified(kind, (place, account, sk), item, text)


def _partition(
    item: Mapping[str, Any], layout: Layout | None
) -> tuple[Layout, str | None, str | None]:
    """The layout, partition key value and defect of an item's key."""
    place = layout or (Layout.USER_SUB if "pk" not in item and "user_sub" in item else Layout.PK)
    account, defect = _value(item.get(place.value), Form.TEXT)
    if account is not None:
        return place, account, None
    name = place.value if layout or place.value in item else "pk or user_sub"
    return place, None, f"{name}: {defect or 'missing'}"


def _unclassified(
    place: Layout | None, account: str | None, sk: str | None, text: str, reason: str
) -> Row:
    return {"layout": place, "account": account, "sk": sk, "defects": [reason], "item": text}


def _classified(
    kind: KindName, key: tuple[Layout, str, str], item: Mapping[str, Any], text: str
) -> Row:
    """The columns of an item whose kind is known, with its defects."""
    row: Row = dict(zip(("layout", "account", "sk"), key, strict=True))
    defects: list[str] = []
    for column in COLUMNS[kind]:
        value, defect = _column_value(column, item)
        row[column.name] = value
        if defect:
            defects.append(f"{column.name}: {defect}")
    row["defects"] = defects
    row["item"] = text if defects or kind is KindName.UNMATCHED else None
    return row


def _column_value(column: Column, item: Mapping[str, Any]) -> tuple[Any, str | None]:
    """A column's value and defect; inside a processor's payload another type is no defect."""
    node: Any = item
    for name in column.path[:-1]:
        branch = node.get(name)
        node = branch.get("M") if isinstance(branch, dict) else None
        if not isinstance(node, dict):
            return None, None
    value, defect = _value(node.get(column.path[-1]), column.form)
    if len(column.path) > 1:
        return value, None
    if value is None and defect is None and column.required:
        defect = "missing"
    return value, defect


def _value(attribute: Any, form: Form) -> tuple[Any, str | None]:
    """An attribute's value in a form, or what is wrong with it; absent and null are neither."""
    if attribute is None:
        return None, None
    if not isinstance(attribute, dict) or len(attribute) != 1:
        return None, "not a DynamoDB attribute value"
    [(tag, value)] = attribute.items()
    if tag == "NULL":
        return None, None
    if tag != form.value:
        return None, f"is {_TYPE_NAMES.get(tag, 'of an unknown type')}, not {_WANTED[form]}"
    return _typed(value, form)


def _typed(value: Any, form: Form) -> tuple[Any, str | None]:
    """A tagged value as the Python value of its form."""
    if form is Form.FLAG:
        return (value, None) if isinstance(value, bool) else (None, "is not true or false")
    if not isinstance(value, str):
        return None, f"is spelled as a JSON {type(value).__name__}, not as text"
    if form is Form.TEXT:
        return value, None
    number = whole_number(value)
    if number is None:
        return None, f"{value[:48]} is not a whole number opskit can post"
    return number, None
