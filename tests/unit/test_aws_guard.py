"""Every kind of garbage is an error, in both retry modes, for every operation."""

from collections.abc import Callable, Iterator
from typing import Any

import botocore
import pytest
from botocore.exceptions import ClientError

from opskit.aws import SEED_OPERATIONS, Connection, access_errors, dynamodb_client, integrity
from opskit.errors import AccessError, CorruptResponseError, OpskitError
from tests.garbage_server import ITEM, KEY, Answer, GarbageServer, garbage_server

BODY = (
    Answer.HTML,
    Answer.EMPTY,
    Answer.BROKEN_JSON,
    Answer.NOT_UTF8,
    Answer.ARRAY,
    Answer.NULL,
    Answer.TRUE,
    Answer.NUMBER,
    Answer.TEXT,
    Answer.TRUNCATED,
    Answer.CUT_PADDING,
    Answer.CUT_CHUNKS,
    Answer.BAD_CRC,
    Answer.CRC_NO_NUMBER,
)
PAGE = (
    Answer.NO_MEMBERS,
    Answer.WRONG_TYPES,
    Answer.ITEMS_MISSING,
    Answer.COUNT_DIFFERS,
    Answer.COUNT_ABOVE_SCANNED,
    Answer.COUNT_BELOW_SCANNED,
    Answer.COUNTS_MISSING,
)
MEMBERS = (Answer.NO_MEMBERS, Answer.WRONG_TYPES)
MODES = ("legacy", "standard")
SDK_REFUSES_SHORT = tuple(map(int, botocore.__version__.split(".")[:3])) < (1, 43, 111)
"""Whether this SDK is of the era that refused a body shorter than announced by itself."""


def paginate(client: Any) -> Any:
    """Read a scan to its end with the SDK's own paginator."""
    return client.get_paginator("scan").paginate(TableName="books").build_full_result()


def query(client: Any) -> Any:
    """Ask for one page of a partition."""
    values = {":pk": KEY["pk"]}
    return client.query(
        TableName="books", KeyConditionExpression="pk = :pk", ExpressionAttributeValues=values
    )


def get_item(client: Any) -> Any:
    """Ask for one item."""
    return client.get_item(TableName="books", Key=KEY)


def batch_get(client: Any) -> Any:
    """Ask for a batch of one item."""
    return client.batch_get_item(RequestItems={"books": {"Keys": [KEY]}})


def batch_write(client: Any) -> Any:
    """Write a batch of one item."""
    return client.batch_write_item(RequestItems={"books": [{"PutRequest": {"Item": ITEM}}]})


def describe(client: Any) -> Any:
    """Ask what the table is like."""
    return client.describe_table(TableName="books")


def before(call: Callable[[Any], object]) -> tuple[Answer, ...]:
    """What a call needs to be answered before the garbage: a scan its first page."""
    return (Answer.SOUND,) if call is paginate else ()


def drain_retry_quota(client: Any, server: GarbageServer) -> None:
    """Fail until the SDK no longer retries."""
    for _ in range(200):
        server.received.clear()
        with pytest.raises(ClientError):
            get_item(client)
        if len(server.received) == 1:
            return
    pytest.fail("the retry quota was never spent")


Call = Callable[[Any], Any]
CASES = [
    *((paginate, answer) for answer in BODY + PAGE),
    *((query, answer) for answer in BODY + PAGE),
    *((get_item, answer) for answer in (*BODY, Answer.WRONG_TYPES)),
    *((batch_get, answer) for answer in BODY + MEMBERS),
    *((batch_write, answer) for answer in BODY + MEMBERS),
    *((describe, answer) for answer in BODY + MEMBERS),
]


def client_of(server: GarbageServer, mode: str = "standard", attempts: int = 2) -> Any:
    """A client of opskit's own making, with few attempts so that a test is quick."""
    allow = SEED_OPERATIONS
    connection = Connection("us-east-1", server.url)
    return dynamodb_client(connection, allow=allow, attempts=attempts, retry_mode=mode)


class Bench:
    """One server and a client of each retry mode: making a client takes longer than a call."""

    def __init__(self, server: GarbageServer) -> None:
        self.server = server
        self.clients = {mode: client_of(server, mode) for mode in MODES}

    def client(self, *answers: Answer, mode: str = "standard") -> Any:
        """The client of a mode, to be answered like this from now on."""
        self.server.answer_with(*answers)
        return self.clients[mode]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """A server that can be told what to answer, and its clients."""
    with garbage_server(Answer.SOUND) as server:
        yield Bench(server)


def refusal_of(answer: Answer) -> type[OpskitError]:
    """The error for an answer: a body that the SDK itself found cut is a broken connection."""
    cut = {Answer.CUT_CHUNKS}
    if SDK_REFUSES_SHORT:
        cut |= {Answer.TRUNCATED, Answer.CUT_PADDING}
    return AccessError if answer in cut else CorruptResponseError


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("call", "answer"), CASES)
def test_garbage_is_an_error(call: Call, answer: Answer, mode: str, bench: Bench) -> None:
    """A garbage 200 raises; the second page of a scan never just ends it."""
    client = bench.client(*before(call), answer, mode=mode)
    with pytest.raises(refusal_of(answer)) as caught, access_errors():
        call(client)
    assert "1999" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", [query, get_item, batch_get, batch_write, describe])
def test_sound_replies_pass(call: Call, mode: str, bench: Bench) -> None:
    """A sound reply passes every guard."""
    assert call(bench.client(Answer.SOUND, mode=mode))


@pytest.mark.parametrize("mode", MODES)
def test_sound_scan_reads_both_pages(mode: str, bench: Bench) -> None:
    """The paginator sees both pages."""
    assert paginate(bench.client(Answer.SOUND, mode=mode))["Items"] == [ITEM, ITEM]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("answer", [Answer.BAD_CRC, Answer.CUT_CHUNKS, Answer.SERVER_ERROR])
def test_transient_damage_recovers(answer: Answer, mode: str, bench: Bench) -> None:
    """What the SDK retries is retried, also when only the very last attempt is sound."""
    assert get_item(bench.client(answer, Answer.SOUND, mode=mode))["Item"] == ITEM
    assert bench.server.received == ["GetItem", "GetItem"]


def test_single_attempt_is_not_refused_for_being_the_last() -> None:
    """A client without retries still accepts sound replies."""
    with garbage_server(Answer.SOUND) as server:
        assert get_item(client_of(server, attempts=1))["Item"] == ITEM


def test_server_errors_stay_the_sdks_own(bench: Bench) -> None:
    """A permanent 500 is DynamoDB's answer, not corruption."""
    with pytest.raises(ClientError):
        get_item(bench.client(Answer.SERVER_ERROR))


def test_count_only_scan_needs_no_items(bench: Bench) -> None:
    """Select=COUNT brings no Items, and that is sound."""
    client = bench.client(Answer.ITEMS_MISSING)
    assert client.scan(TableName="books", Select="COUNT")["Count"] == 0


def test_filter_lets_fewer_items_pass_than_were_scanned(bench: Bench) -> None:
    """With a filter Count may be below ScannedCount, never above."""
    filtered: dict[str, Any] = {
        "FilterExpression": "sk = :sk",
        "ExpressionAttributeValues": {":sk": KEY["sk"]},
        "TableName": "books",
    }
    assert bench.client(Answer.COUNT_BELOW_SCANNED).scan(**filtered)["ScannedCount"] == 5
    with pytest.raises(CorruptResponseError, match="Count 1"):
        bench.client(Answer.COUNT_ABOVE_SCANNED).scan(**filtered)


ONLY_CAUGHT_BY = [
    (integrity.checksum_fault, get_item, Answer.BAD_CRC),
    (integrity.length_fault, get_item, Answer.CUT_PADDING),
    (integrity.body_fault, get_item, Answer.HTML),
    (integrity.body_fault, get_item, Answer.EMPTY),
    (integrity.members_fault, batch_write, Answer.NO_MEMBERS),
    (integrity.members_fault, describe, Answer.NO_MEMBERS),
    (integrity.items_fault, paginate, Answer.ITEMS_MISSING),
    (integrity.items_fault, paginate, Answer.COUNT_DIFFERS),
    (integrity.counts_fault, paginate, Answer.COUNT_ABOVE_SCANNED),
    (integrity.counts_fault, paginate, Answer.COUNT_BELOW_SCANNED),
]


@pytest.mark.parametrize(("guard", "call", "answer"), ONLY_CAUGHT_BY)
def test_each_guard_bears_load(
    guard: object, call: Call, answer: Answer, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the guard the garbage slips through, so the tests above would go red."""
    if guard is integrity.length_fault and SDK_REFUSES_SHORT:
        pytest.skip("this SDK refuses a short body by itself")
    others = tuple(other for other in integrity.GUARDS if other is not guard)
    monkeypatch.setattr(integrity, "GUARDS", others)
    assert call(bench.client(*before(call), answer))


def test_spent_retry_quota_is_told_from_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the SDK hands back a reply it could not afford to retry, two guards refuse it."""
    without_checksum = tuple(g for g in integrity.GUARDS if g is not integrity.checksum_fault)
    with garbage_server(Answer.SERVER_ERROR) as server:
        client = client_of(server)
        drain_retry_quota(client, server)
        server.answer_with(Answer.BAD_CRC)
        with pytest.raises(CorruptResponseError, match="CRC32"):
            get_item(client)
        monkeypatch.setattr(integrity, "GUARDS", without_checksum)
        with pytest.raises(CorruptResponseError, match="ran out of retries"):
            get_item(client)
        monkeypatch.setattr(integrity, "GUARDS", ())
        assert get_item(client)["Item"] != ITEM


def test_every_guard_is_listed_here() -> None:
    """A guard nobody removes in a test is a guard nobody proved."""
    proved = {guard for guard, _, _ in ONLY_CAUGHT_BY} | {integrity.gave_up_fault}
    assert proved == set(integrity.GUARDS)
