"""What the fault matrix found once, each as the smallest case."""

import pytest
from botocore.exceptions import ReadTimeoutError

from opskit.aws import service_error
from opskit.errors import AccessError, CorruptResponseError
from opskit.read.decode import decode_items
from tests.faults.model import ModelTable, Reply, Request, reply_of
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
