"""What the fault matrix found once, each as the smallest case."""

import json
from collections import Counter
from pathlib import Path

import pytest
from botocore.exceptions import ReadTimeoutError

from opskit.aws import service_error
from opskit.errors import AccessError, CorruptResponseError
from opskit.read.capture import read_captures
from opskit.read.decode import decode_items
from tests.faults.model import ModelTable, Reply, Request, reply_of
from tests.faults.oracle import rows_of, set_aside
from tests.faults.seam import Seam

ENTRY = b'{"pk":{"S":"USER#1"},"sk":{"S":"BALANCE"},"currency":{"S":"%s"}}'


def test_a_timeout_has_its_line() -> None:
    """A read timeout, which carries an empty reply, is an access error of one line."""
    error = service_error(ReadTimeoutError(endpoint_url="http://127.0.0.1:9"))
    assert isinstance(error, AccessError)
    assert str(error).startswith("no reply in time: http://127.0.0.1:9; ")


def test_an_item_that_is_no_text_is_kept() -> None:
    """Bytes that are not UTF-8 make one item unclassified, and none is lost."""
    batches = decode_items(b"[" + ENTRY % b"usd" + b"," + ENTRY % b"\xff" + b"]")
    rows = [row for batch in batches.values() for row in batch.to_pylist()]
    assert len(rows) == 2
    assert sum("cannot be decoded" in str(row["defects"]) for row in rows) == 1


def test_a_page_that_is_no_text_is_refused() -> None:
    """A reply whose bytes are not UTF-8 is refused whole, whatever its checksum."""

    def answer(operation: str, request: Request) -> Reply:
        body = ModelTable([]).answer(operation, request).body
        return reply_of(body.replace(b"[]", b"[" + ENTRY % b"\xff" + b"]").replace(b":0", b":1"))

    with pytest.raises(CorruptResponseError, match="cannot be trusted"):
        Seam(answer).client.scan(TableName="books")


STRANGERS = [
    {"pk": {"S": "NOBODY"}, "sk": {"S": "X#1"}, "n": {"N": "1"}},
    {"pk": {"S": "NOBODY"}, "sk": {"S": "X#1"}, "n": {"N": "1"}},
    {"pk": {"S": "NOBODY"}, "sk": {"S": "X#2"}, "n": {"N": "1"}},
    {"pk": {"S": "NOBODY"}, "sk": {"S": "X#2"}, "n": {"N": "2"}},
    {"pk": {"S": "NOBODY"}, "n": {"N": "1"}},
    {"pk": {"S": "NOBODY"}, "n": {"N": "1"}},
]


def test_unclassified_items_are_settled(tmp_path: Path) -> None:
    """Copies of an item of no known kind are kept once, differing ones marked, keyless ones all."""
    differing = {"pk": {"S": "USER#1"}, "sk": {"S": "PROFILE"}}
    items = [*STRANGERS, differing, {**differing, "stripe_customer_id": {"S": "c"}}]
    capture = tmp_path / "items.jsonl"
    capture.write_text("".join(json.dumps({"Item": item}) + "\n" for item in items))
    rows = rows_of(read_captures([capture], tmp_path / "s"))
    keys = Counter(held.key for held in rows)
    assert keys == {
        ("NOBODY", "X#1"): 1,
        ("NOBODY", "X#2"): 2,
        ("NOBODY", None): 2,
        ("USER#1", "PROFILE"): 2,
    }
    assert {held.key for held in rows if set_aside(held)} == {
        ("NOBODY", "X#2"),
        ("USER#1", "PROFILE"),
    }
