"""Anything a billing table may hold, as DynamoDB JSON, for the property tests of reading."""

import base64
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from opskit.tables.items import COLUMNS, MARKER_PARTITIONS, UNMATCHED_PARTITIONS, Form

Item = dict[str, dict[str, Any]]

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.one_of(
    st.integers(-(10**16), 10**16).map(str),
    st.integers(-(10**37), 10**37).map(str),
    st.decimals(-100, 100, places=2).map(str),
    st.sampled_from(["0", "-0", "00042", "1E3", "1.10", "1E-130", "9" * 38, "-" + "9" * 38, "+7"]),
)
BINARIES = st.binary(max_size=8).map(lambda raw: base64.b64encode(raw).decode())
SCALARS = st.one_of(
    st.builds(lambda value: {"S": value}, TEXTS),
    st.builds(lambda value: {"N": value}, NUMBERS),
    st.builds(lambda value: {"B": value}, BINARIES),
    st.builds(lambda value: {"BOOL": value}, st.booleans()),
    st.just({"NULL": True}),
    st.builds(lambda values: {"SS": values}, st.lists(TEXTS, min_size=1, max_size=3, unique=True)),
    st.builds(lambda value: {"NS": [value]}, NUMBERS),
    st.builds(lambda value: {"BS": [value]}, BINARIES),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.builds(lambda held: {"L": held}, st.lists(inner, max_size=3)),
        st.builds(lambda held: {"M": held}, st.dictionaries(TEXTS, inner, max_size=3)),
    ),
    max_leaves=5,
)
"""Every DynamoDB type, nested."""

_SKS = st.one_of(
    st.sampled_from(["BALANCE", "BILLING", "PROFILE", "BALANCE#", "LEDGER", "#", "LEDGER#1#é"]),
    st.builds(
        lambda prefix, rest: f"{prefix}#{rest}",
        st.sampled_from(["LEDGER", "PAY", "PM", "SUB", "OTHER"]),
        TEXTS,
    ),
    TEXTS,
)
_ACCOUNTS = st.one_of(
    st.builds("USER#{}".format, TEXTS),
    st.sampled_from(sorted(MARKER_PARTITIONS | UNMATCHED_PARTITIONS)),
    TEXTS,
)


def _fitting(form: Form) -> st.SearchStrategy[dict[str, Any]]:
    """A value of the form a column wants, as DynamoDB spells it."""
    if form is Form.FLAG:
        return st.builds(lambda value: {"BOOL": value}, st.booleans())
    if form is Form.WHOLE:
        return st.builds(lambda value: {"N": str(value)}, st.integers(-(10**9), 10**9))
    return st.builds(lambda value: {"S": value}, TEXTS)


def _put(item: Item, path: tuple[str, ...], value: dict[str, Any]) -> None:
    node: dict[str, Any] = item
    for name in path[:-1]:
        branch = node.setdefault(name, {"M": {}})
        if "M" not in branch:
            return
        node = branch["M"]
    node[path[-1]] = value


@st.composite
def _attributes(draw: st.DrawFn) -> Item:
    """Most attributes of one kind, most of the right form, some of any other."""
    item: Item = {}
    for column in COLUMNS[draw(st.sampled_from(list(COLUMNS)))]:
        chance = draw(st.integers(0, 19))
        if chance == 0 or (chance < 10 and not column.required):
            continue
        _put(item, column.path, draw(VALUES if chance == 1 else _fitting(column.form)))
    return item


@st.composite
def items(draw: st.DrawFn) -> Item:
    """One item, of either layout, well-formed or not; its keys are as DynamoDB would have them."""
    item = draw(_attributes())
    item.update(draw(st.dictionaries(TEXTS, VALUES, max_size=2)))
    key = draw(st.sampled_from(["pk", "pk", "pk", "user_sub", "both", "neither"]))
    for name in {"both": ("pk", "user_sub"), "neither": ()}.get(key, (key,)):
        item[name] = {"S": draw(_ACCOUNTS)}
    item["sk"] = draw(st.one_of(st.builds(lambda text: {"S": text}, _SKS), SCALARS))
    return item


def keyed(found: Mapping[str, Any], number: int) -> Item:
    """The item under a key no other of its table has."""
    return {**found, "pk": {"S": f"USER#{number}"}, "sk": {"S": f"LEDGER#{number}"}}
