"""Decoding: the fast paths answer what the item-at-a-time path answers, on anything."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given, settings
from hypothesis import strategies as st

from opskit.errors import CorruptResponseError
from opskit.money import whole_number
from opskit.read import plain
from opskit.read.decode import batches_of, decode_items, decode_lines
from opskit.read.lenient import lenient_row
from opskit.read.schema import Batches
from opskit.read.typed import RAW_ITEMS
from opskit.tables.items import COLUMNS, KindName, Layout
from tests.unit.strategies import Item, items

LAYOUTS = st.sampled_from([None, Layout.PK, Layout.USER_SUB])
SPACING = st.sampled_from([None, (", ", ": "), (" ,\n", " :\t")])


@pytest.fixture(scope="module", params=["compiled", "typed"], autouse=True)
def reader(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every test with the compiled code, and with what stands in where it cannot be built."""
    if plain.compiled is None and request.param == "compiled":
        if os.environ.get("CI") == "true":
            pytest.fail("the compiled reader was not built")
        pytest.skip("the compiled reader was not built: install a C compiler, then opskit again")
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "typed":
            patch.setattr("opskit.read.plain._PLAN", None)
        yield request.param


def rows_of(batches: Batches) -> list[tuple[str, str]]:
    """Every row with its kind, in an order of its own."""
    return sorted(
        (kind.value, json.dumps(row, sort_keys=True))
        for kind, batch in batches.items()
        for row in batch.to_pylist()
    )


def slowly(array: bytes, layout: Layout | None) -> Batches:
    """The oracle: every item by itself through the lenient reader."""
    return batches_of(lenient_row(bytes(raw), layout) for raw in RAW_ITEMS.decode(array))


@settings(max_examples=150, deadline=None)
@given(st.lists(items(), max_size=8), LAYOUTS, SPACING, st.booleans())
def test_fast_equals_slow(
    found: list[Item], layout: Layout | None, separators: Any, ascii_only: object
) -> None:
    """The fast path gives the rows of the lenient path, and as many as there were items."""
    array = json.dumps(found, separators=separators, ensure_ascii=bool(ascii_only)).encode()
    fast = decode_items(array, layout)
    assert rows_of(fast) == rows_of(slowly(array, layout))
    assert sum(batch.num_rows for batch in fast.values()) == len(found)


def _native(value: Any) -> Any:
    """A value of boto3's as the column shows it."""
    return int(value) if type(value).__name__ == "Decimal" else value


@settings(max_examples=60, deadline=None)
@given(st.lists(items(), max_size=4), st.booleans())
def test_lines_equal_an_array(found: list[Item], ascii_only: object) -> None:
    """Items one to a line are the items of an array."""
    texts = [json.dumps(item, ensure_ascii=bool(ascii_only)) for item in found]
    lines = "".join(f'{{"Item": {text}}}\n' for text in texts).encode()
    array = f"[{','.join(texts)}]".encode()
    assert rows_of(decode_lines(lines)) == rows_of(decode_items(array))


def _answer(text: bytes, *, wrapped: bool) -> object:
    try:
        return rows_of(decode_lines(text) if wrapped else decode_items(text, Layout.PK))
    except CorruptResponseError:
        return "refused"


CUTS = st.tuples(st.integers(0), st.integers(0, 3), st.binary(max_size=3))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(items(), min_size=1, max_size=3), st.lists(CUTS, min_size=1, max_size=3), st.booleans()
)
def test_damaged_bytes(found: list[Item], cuts: Any, wrapped: object) -> None:
    """Whatever happens to the bytes, it is answered or refused as the typed reader does."""
    texts = [json.dumps(item, ensure_ascii=False) for item in found]
    whole = "".join(f'{{"Item":{text}}}\n' for text in texts) if wrapped else f"[{','.join(texts)}]"
    damaged = bytearray(whole, "utf-8")
    for at, length, put in cuts:
        start = at % (len(damaged) + 1)
        damaged[start : start + length] = put
    answer = _answer(bytes(damaged), wrapped=bool(wrapped))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("opskit.read.plain._PLAN", None)
        assert answer == _answer(bytes(damaged), wrapped=bool(wrapped))


@settings(max_examples=60, deadline=None)
@given(st.lists(items(), min_size=1, max_size=6))
def test_values_are_those_of_the_sdk(found: list[Item]) -> None:
    """Every value without a defect is the one boto3's deserializer reads."""
    for item in found:
        [(kind, batch)] = decode_items(json.dumps([item]).encode()).items()
        [row] = batch.to_pylist()
        if kind in {KindName.UNCLASSIFIED, KindName.UNMATCHED} or row["defects"]:
            assert json.loads(row["item"]) == item
            continue
        for column in COLUMNS[kind]:
            if len(column.path) == 1 and column.name in item:
                raw = item[column.name]
                assert row[column.name] == _native(TypeDeserializer().deserialize(raw))


ENTRY: Item = {
    "pk": {"S": "USER#1"},
    "sk": {"S": "LEDGER#1#a"},
    "entry_id": {"S": "a"},
    "ts": {"N": "1"},
    "type": {"S": "debit"},
    "amount_cents": {"N": "100"},
    "state": {"S": "settled"},
    "reason": {"S": "usage"},
}


@pytest.mark.parametrize(
    ("change", "kind", "defects"),
    [
        ({}, KindName.ENTRIES, []),
        ({"amount_cents": {"N": "1E2"}}, KindName.ENTRIES, []),
        ({"amount_cents": {"N": "0x10"}}, KindName.ENTRIES, ["amount_cents"]),
        ({"amount_cents": {"N": " 5"}}, KindName.ENTRIES, ["amount_cents"]),
        ({"amount_cents": {"N": "٣"}}, KindName.ENTRIES, ["amount_cents"]),
        ({"amount_cents": {"N": "9" * 38}}, KindName.ENTRIES, ["amount_cents"]),
        ({"amount_cents": {"N": "-1000000000000001"}}, KindName.ENTRIES, ["amount_cents"]),
        ({"amount_cents": {"S": "1"}}, KindName.ENTRIES, ["amount_cents"]),
        ({"amount_cents": {"N": "1", "NULL": True}}, KindName.ENTRIES, ["amount_cents"]),
        ({"amount_cents": {}}, KindName.ENTRIES, ["amount_cents"]),
        ({"reason": {"NULL": True}}, KindName.ENTRIES, ["reason"]),
        ({"reason": {"S": ""}}, KindName.ENTRIES, []),
        ({"stripe_charge_id": {"NULL": True}}, KindName.ENTRIES, []),
        ({"meta": {"S": "odd"}}, KindName.ENTRIES, []),
        ({"meta": {"M": {"mode": {"BOOL": True}}}}, KindName.ENTRIES, []),
        ({"sk": {"S": "ledger#1"}}, KindName.UNCLASSIFIED, ["no kind"]),
        ({"sk": {"B": "AA=="}}, KindName.UNCLASSIFIED, ["sk"]),
        ({"pk": {"NULL": True}}, KindName.UNCLASSIFIED, ["pk"]),
    ],
)
def test_one_odd_item_among_sound_ones(change: Item, kind: KindName, defects: list[str]) -> None:
    """An odd item keeps to itself: it is kept whole with its defect, the others are unharmed."""
    odd = {**ENTRY, **change}
    array = json.dumps([ENTRY, odd, ENTRY]).encode()
    batches = decode_items(array)
    assert rows_of(batches) == rows_of(slowly(array, None))
    row = batches[kind].to_pylist()[-1]
    assert [
        defect.partition(":")[0][: len(name)]
        for defect, name in zip(row["defects"], defects, strict=True)
    ] == defects
    assert (json.loads(row["item"]) == odd) if defects else row["item"] is None


def test_only_the_odd_item_is_read_leniently(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of sound items with one odd one costs one lenient read."""
    read: list[bytes] = []

    def counted(raw: bytes, layout: Layout | None) -> Any:
        read.append(raw)
        return lenient_row(raw, layout)

    monkeypatch.setattr("opskit.read.decode.lenient_row", counted)
    wrong_type = {**ENTRY, "ts": {"S": "1"}}
    too_much = {**ENTRY, "amount_cents": {"N": "9" * 20}}
    batches = decode_items(
        json.dumps([ENTRY] * 50 + [wrong_type, too_much] + [ENTRY] * 50).encode()
    )
    assert len(read) == 2
    assert batches[KindName.ENTRIES].num_rows == 102


@pytest.mark.parametrize(
    "array",
    [b"", b"{}", b"[{]", b"[1", b'"x"', b"[{}] x", b'["\\ud800"]', b"[" * 5000 + b"]" * 5000],
)
def test_no_array(array: bytes) -> None:
    """Bytes that are no JSON array are refused."""
    with pytest.raises(CorruptResponseError, match="not a JSON array"):
        decode_items(array)


@pytest.mark.parametrize("odd", [b"7", b"null", b"[" * 200 + b"]" * 200])
def test_what_is_no_item_is_kept(odd: bytes) -> None:
    """A member that is not an item at all is unclassified, with its text."""
    batches = decode_items(b"[" + json.dumps(ENTRY).encode() + b"," + odd + b"]")
    assert batches[KindName.ENTRIES].num_rows == 1
    [row] = batches[KindName.UNCLASSIFIED].to_pylist()
    assert row["item"] == odd.decode()


@given(st.from_regex(r"[+-]?[0-9x _.eE]{1,20}", fullmatch=True))
def test_a_number_is_read_as_money_reads_it(text: str) -> None:
    """The column holds exactly what `whole_number` reads from the text."""
    array = json.dumps([ENTRY | {"amount_cents": {"N": text}}]).encode()
    [row] = decode_items(array)[KindName.ENTRIES].to_pylist()
    assert row["amount_cents"] == whole_number(text)
