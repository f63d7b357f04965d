"""One attribute of many typed items as an Arrow column, with the items it does not fit."""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from opskit.money import MAX_MINOR_UNITS, whole_number
from opskit.read.typed import ABSENT
from opskit.tables.items import COLUMNS, Column, Form

ABSENT_TEXT = ABSENT[Form.TEXT]
_TYPES = {Form.TEXT: pa.string(), Form.WHOLE: pa.string(), Form.FLAG: pa.bool_()}

Values = list[Any]


def _comprehension(expression: str) -> Callable[[Sequence[Any]], Values]:
    """A function that evaluates an expression of `item` for each item.

    A comprehension whose attribute names are constants takes less than half the time that
    `operator.attrgetter` or `getattr` take; the names are the contract's own.
    """
    return eval(f"lambda items: [{expression} for item in items]")  # type: ignore[no-any-return]  # noqa: S307


_FETCH = {
    path: _comprehension("item." + ".M.".join(path))
    for path in {column.path for columns in COLUMNS.values() for column in columns}
}
_KEYS = {name: _comprehension(f"item.{name}.S") for name in ("pk", "user_sub", "sk")}
_MEMBER = {form: _comprehension(f"item.{form.value}") for form in Form}


def key_texts(items: Sequence[Any], attribute: str) -> Values:
    """One key attribute of every item, None where it has none."""
    return _KEYS[attribute](items)


def column_array(
    column: Column, items: Sequence[Any], *, careful: bool
) -> tuple[pa.Array, Sequence[int]]:
    """One attribute of every item as an array of its type, and the rows it does not fit.

    `careful` says that attributes may be NULL, and have to be looked at one by one.
    """
    values = _FETCH[column.path](items)
    absent = values.count(ABSENT[column.form])
    if absent == len(values) and not column.required:
        return _nulls(column.form, len(values)), ()
    members = _MEMBER[column.form](values)
    array = pa.array(members, _TYPES[column.form])
    sound = _sound(column, values, array.null_count - absent, careful=careful)
    misfits = [] if sound else _misfits(column, values, members)
    if column.form is Form.WHOLE:
        return _whole_numbers(array, misfits)
    return array, misfits


def _nulls(form: Form, size: int) -> pa.Array:
    return pa.nulls(size, pa.int64() if form is Form.WHOLE else _TYPES[form])


def _sound(column: Column, values: Values, empty: int, *, careful: bool) -> bool:
    """Whether each attribute is absent or exactly one value; `empty` are there without a member."""
    if not careful and not empty:
        return not column.required or ABSENT[column.form] not in values
    null = [value for value in values if value.NULL is not None]
    if column.required or len(null) != empty:
        return False
    return _MEMBER[column.form](null).count(None) == empty


def _misfits(column: Column, values: Values, members: Values) -> list[int]:
    """The rows whose attribute is missing though required, or not exactly one value."""
    absent = ABSENT[column.form]
    return [
        row
        for row, (value, member) in enumerate(zip(values, members, strict=True))
        if (column.required and member is None)
        or (value is not absent and (member is None) == (value.NULL is None))
    ]


def _whole_numbers(texts: pa.Array, misfits: list[int]) -> tuple[pa.Array, Sequence[int]]:
    """Numbers spelled as text, as 64-bit integers; rows beyond the limit of money do not fit."""
    if texts.null_count == len(texts) or _plain(texts):
        return pc.cast(texts, pa.int64()), misfits
    spelled = texts.to_pylist()
    numbers = [None if text is None else whole_number(text) for text in spelled]
    unfit = [
        row
        for row, (text, number) in enumerate(zip(spelled, numbers, strict=True))
        if text is not None and number is None
    ]
    return pa.array(numbers, pa.int64()), [*misfits, *unfit]


def _plain(texts: pa.Array) -> bool:
    """Whether all are spelled in decimal digits and within the limit of money."""
    if not pc.all(pc.match_substring_regex(texts, r"^-?[0-9]{1,16}$")).as_py():
        return False
    bounds = pc.min_max(pc.cast(texts, pa.int64())).as_py()
    return bool(max(-bounds["min"], bounds["max"]) <= MAX_MINOR_UNITS)
