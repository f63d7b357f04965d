"""Scans of real engines: equal to the SDK's own, whatever the segments; complete or refused."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from boto3.dynamodb.types import TypeDeserializer
from botocore.awsrequest import AWSResponse
from engines import Engine

from opskit.aws import dynamodb_client, reading_client
from opskit.errors import AccessError, CorruptResponseError, IncompleteReadError, InputError
from opskit.read.manifest import ReadVerdict
from opskit.read.patience import Patience
from opskit.read.query import items_by_key, read_accounts, snapshot_account
from opskit.read.scan import ScanOptions, resume_table, snapshot_table, table_identity
from opskit.read.snapshot import Snapshot, open_snapshot, require_complete
from opskit.tables.items import KindName

TABLE = "books"
ACCOUNTS = 40
SEGMENTS = (1, 2, 3, 7, 16, 64)


def entry(account: int, number: int) -> dict[str, Any]:
    """One entry, some of them large so that a scan takes several pages, some of them odd."""
    item: dict[str, Any] = {
        "pk": {"S": f"USER#{account}"},
        "sk": {"S": f"LEDGER#{number}#é"},
        "entry_id": {"S": f"{account}-{number}"},
        "ts": {"N": "1700000000"},
        "type": {"S": "debit"},
        "amount_cents": {"N": str(number)},
        "state": {"S": "settled"},
        "reason": {"S": "usage"},
        "meta": {"M": {"note": {"S": "x" * 9_000}, "flags": {"SS": ["a", "b"]}}},
    }
    if number == 3:
        item["amount_cents"] = {"S": "three"}
    if number == 4:
        item["sk"] = {"S": "strange"}
        item["blob"] = {"B": b"\x00\xff"}
    return item


def fill(engine: Engine) -> None:
    """Make the table with items of many accounts."""
    client = engine.client()
    names = ("pk", "sk")
    client.create_table(
        TableName=TABLE,
        KeySchema=[
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(names, ("HASH", "RANGE"), strict=True)
        ],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        BillingMode="PAY_PER_REQUEST",
    )
    waiter = client.get_waiter("table_exists")
    waiter.wait(TableName=TABLE, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
    for account in range(ACCOUNTS):
        puts = [{"PutRequest": {"Item": entry(account, number)}} for number in range(8)]
        left = {TABLE: puts}
        while left:
            left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]


@pytest.fixture(scope="module")
def filled(engine: Engine) -> Engine:
    """Each engine with a filled table."""
    engine.empty()
    fill(engine)
    return engine


@pytest.fixture(scope="module")
def moto(start_engine: Callable[[str], Engine]) -> Engine:
    """Moto's server with a filled table."""
    engine = start_engine("moto")
    engine.empty()
    fill(engine)
    return engine


def by_the_sdk(engine: Engine) -> Counter[tuple[Any, ...]]:
    """The keys and amounts that boto3's paginator and deserializer read."""
    native = TypeDeserializer().deserialize
    pages = engine.client().get_paginator("scan").paginate(TableName=TABLE)
    items = [item for page in pages for item in page["Items"]]
    return Counter(
        (native(item["pk"]), native(item["sk"]), str(native(item["amount_cents"])))
        for item in items
    )


def by_opskit(snapshot: Snapshot) -> Counter[tuple[Any, ...]]:
    """The same from a snapshot's files; what is odd from the item kept whole."""
    found: Counter[tuple[Any, ...]] = Counter()
    for kind in KindName:
        for path in snapshot.files(kind):
            for row in pq.read_table(path).to_pylist():
                amount = row.get("amount_cents")
                if amount is None:
                    [amount] = json.loads(row["item"])["amount_cents"].values()
                found[row["account"], row["sk"], str(amount)] += 1
    return found


@pytest.mark.parametrize("segments", SEGMENTS)
def test_a_scan_reads_what_the_sdk_reads(filled: Engine, tmp_path: Path, segments: int) -> None:
    """In any number of segments the items are those of the SDK's own paginator."""
    client = reading_client(filled.connection)
    taken = snapshot_table(
        client, TABLE, tmp_path / "a", options=ScanOptions(segments=segments, strong=True)
    )
    assert taken.manifest.verdict is ReadVerdict.COMPLETE
    assert by_opskit(taken) == by_the_sdk(filled)
    assert len(taken.manifest.segments) == segments
    assert sum(part.items for part in taken.manifest.segments.values()) == ACCOUNTS * 8


def test_a_client_that_parses_by_itself_reads_the_same(filled: Engine, tmp_path: Path) -> None:
    """Where pages cannot be left raw the snapshot is the same."""
    slow = snapshot_table(dynamodb_client(filled.connection), TABLE, tmp_path / "slow")
    fast = snapshot_table(reading_client(filled.connection), TABLE, tmp_path / "fast")
    assert by_opskit(slow) == by_opskit(fast)


def test_accounts_are_read_whole(filled: Engine, tmp_path: Path) -> None:
    """One account, many accounts and keys give exactly what was asked for."""
    client = reading_client(filled.connection)
    one = snapshot_account(client, TABLE, "5", tmp_path / "one")
    assert one.manifest.items == 8
    assert float(one.manifest.capacity_units) > 0
    table = table_identity(client, TABLE)
    many = read_accounts(client, table, ["1", "2", "USER#3", "none"], tmp_path / "many")
    assert many.manifest.items == 24
    assert require_complete(many) is many
    keys = [(f"USER#{n}", f"LEDGER#{m}#é") for n in range(15) for m in (0, 1, 2, 99)]
    found = items_by_key(client, table, keys)
    assert sum(batch.num_rows for page in found.pages for batch in page.values()) == 45
    assert found.absent == {(f"USER#{n}", "LEDGER#99#é") for n in range(15)}


Fault = Callable[[dict[str, Any]], AWSResponse | None]


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: object) -> Iterator[bytes]:
        """Give the body as botocore asks for it."""
        yield self._content


def reply(status: int, body: bytes, **headers: str) -> AWSResponse:
    """A response as the SDK gets it from its HTTP layer."""
    whole = {"x-amz-crc32": str(zlib.crc32(body)), "content-length": str(len(body)), **headers}
    return AWSResponse("http://localhost/", status, whole, _Body(body))


def refusal(code: str, status: int = 400) -> AWSResponse:
    """An error as DynamoDB words it."""
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no"})
    return reply(status, body.encode())


def faulty_client(engine: Engine, fault: Fault) -> Any:
    """A reading client whose scans meet a fault before they are sent."""
    client = reading_client(engine.connection)

    def before_send(request: Any, **_: object) -> AWSResponse | None:
        return fault(json.loads(request.body))

    client.meta.events.register_first("before-send.dynamodb.Scan", before_send)
    return client


def hasty(within: float = 0.3) -> Patience:
    """A patience that ends soon."""
    return Patience(within=within, first_pause=0.001, longest_pause=0.01)


PASSING: dict[str, Callable[[], AWSResponse]] = {
    "throttled": lambda: refusal("ProvisionedThroughputExceededException"),
    "request limit": lambda: refusal("RequestLimitExceeded"),
    "server error": lambda: refusal("InternalServerError", 500),
    "html": lambda: reply(200, b"<html>"),
    "empty": lambda: reply(200, b""),
    "no items": lambda: reply(200, b'{"Count":0,"ScannedCount":0}'),
    "count differs": lambda: reply(200, b'{"Count":2,"ScannedCount":2,"Items":[]}'),
    "wrong checksum": lambda: reply(
        200, b'{"Count":0,"ScannedCount":0,"Items":[]}', **{"x-amz-crc32": "1"}
    ),
    "cut": lambda: reply(
        200, b'{"Count":0,"ScannedCount":0,"Items":[]}', **{"content-length": "99"}
    ),
}


@pytest.mark.parametrize("name", PASSING)
@pytest.mark.engine
def test_a_passing_fault_changes_nothing(moto: Engine, tmp_path: Path, name: str) -> None:
    """Every other request fails, and the snapshot is COMPLETE and the same."""
    calls = iter(range(10_000))
    client = faulty_client(moto, lambda _: PASSING[name]() if next(calls) % 2 == 0 else None)
    options = ScanOptions(segments=3, patience=hasty(20))
    taken = snapshot_table(client, TABLE, tmp_path / "a", options=options)
    assert by_opskit(require_complete(taken)) == by_the_sdk(moto)


@pytest.mark.parametrize("name", PASSING)
@pytest.mark.engine
def test_a_lasting_fault_of_one_segment_leaves_a_partial_snapshot(
    moto: Engine, tmp_path: Path, name: str
) -> None:
    """The other segments end, the snapshot says which is missing, and resuming completes it."""
    broken = True

    def fault(request: dict[str, Any]) -> AWSResponse | None:
        return PASSING[name]() if broken and request["Segment"] == 1 else None

    client = faulty_client(moto, fault)
    options = ScanOptions(segments=3, patience=hasty())
    taken = snapshot_table(client, TABLE, tmp_path / "a", options=options)
    assert taken.manifest.verdict is ReadVerdict.PARTIAL
    [missing] = taken.manifest.missing
    assert missing.startswith("segment 2 of 3 after 0 pages: ")
    with pytest.raises(IncompleteReadError, match="segment 2 of 3"):
        require_complete(open_snapshot(tmp_path / "a"))
    broken = False
    whole = resume_table(client, tmp_path / "a", options=ScanOptions(patience=hasty()))
    assert by_opskit(require_complete(open_snapshot(whole.path))) == by_the_sdk(moto)
    with pytest.raises(InputError, match="COMPLETE already"):
        resume_table(client, tmp_path / "a")


@pytest.mark.parametrize("pages", [1, 2])
@pytest.mark.engine
def test_denied_in_the_middle(moto: Engine, tmp_path: Path, pages: int) -> None:
    """Credentials that end after some pages leave a PARTIAL snapshot that resumes to the whole."""
    left = pages

    def fault(request: dict[str, Any]) -> AWSResponse | None:
        nonlocal left
        left -= 1
        return refusal("ExpiredTokenException") if left < 0 else None

    client = faulty_client(moto, fault)
    taken = snapshot_table(client, TABLE, tmp_path / "a", options=ScanOptions(segments=1))
    assert taken.manifest.verdict is ReadVerdict.PARTIAL
    assert taken.manifest.segments["0"].resume
    assert "expired" in taken.manifest.missing[0]
    left = 10_000
    whole = resume_table(client, tmp_path / "a")
    assert by_opskit(require_complete(whole)) == by_the_sdk(moto)


@pytest.mark.engine
def test_denied_from_the_start_leaves_nothing(moto: Engine, tmp_path: Path) -> None:
    """When not one page can be read the reason is raised and no folder is left."""
    client = faulty_client(moto, lambda _: refusal("AccessDeniedException"))
    with pytest.raises(AccessError, match="not permitted"):
        snapshot_table(client, TABLE, tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("cycle", [1, 2])
@pytest.mark.engine
def test_a_loop_is_found(moto: Engine, tmp_path: Path, cycle: int) -> None:
    """Keys to go on from that repeat or cycle end the scan as not complete."""
    calls = iter(range(1_000))

    def fault(request: dict[str, Any]) -> AWSResponse:
        number = next(calls) % cycle
        key = {"pk": {"S": f"USER#{number}"}, "sk": {"S": "LEDGER#"}}
        body = {"Count": 0, "ScannedCount": 0, "Items": [], "LastEvaluatedKey": key}
        return reply(200, json.dumps(body).encode())

    taken = snapshot_table(faulty_client(moto, fault), TABLE, tmp_path / "a")
    assert taken.manifest.verdict is ReadVerdict.PARTIAL
    assert "loop" in taken.manifest.missing[0]
    assert next(calls) <= 2 * cycle + 1


class _MistakeError(Exception):
    """Something that no reader expects."""


@pytest.mark.parametrize("error", [KeyboardInterrupt, _MistakeError])
@pytest.mark.engine
def test_an_interrupt_leaves_no_thread_and_a_partial_snapshot(
    moto: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    """What stops the reading passes on; the snapshot says PARTIAL and can be completed."""

    def stop(*_: object) -> None:
        raise error

    client = reading_client(moto.connection)
    options = ScanOptions(segments=4, workers=2)
    with monkeypatch.context() as patch:
        patch.setattr("opskit.read.progress.Meter.add", stop)
        with pytest.raises(error):
            snapshot_table(client, TABLE, tmp_path / "a", options=options)
    assert not [t for t in threading.enumerate() if t.name.startswith("opskit-read")]
    assert open_snapshot(tmp_path / "a").manifest.verdict is ReadVerdict.PARTIAL
    whole = resume_table(client, tmp_path / "a")
    assert by_opskit(require_complete(whole)) == by_the_sdk(moto)


@pytest.mark.engine
def test_ctrl_c_at_the_command_line(moto: Engine, tmp_path: Path) -> None:
    """An interrupted `opskit snapshot` leaves a PARTIAL folder that `--resume` completes."""
    address = ["--endpoint-url", moto.endpoint_url, "--region", "us-east-1"]
    code = "from opskit.cli import main; main()"
    whole = [sys.executable, "-c", code, "snapshot", "--out", str(tmp_path / "a"), *address]
    environment = {**os.environ, "BILLING_TABLE_NAME": TABLE}
    slow = [*whole, "--read-units", "0.05"]
    child = subprocess.Popen(slow, stderr=subprocess.PIPE, text=True, env=environment)
    deadline = time.monotonic() + 60
    while not (tmp_path / "a").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(2)
    child.send_signal(signal.SIGINT)
    _, told = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "interrupted" in told
    assert "Traceback" not in told
    assert open_snapshot(tmp_path / "a").manifest.verdict is ReadVerdict.PARTIAL
    again = [sys.executable, "-c", code, "snapshot", "--resume", str(tmp_path / "a"), *address]
    assert subprocess.run(again, env=environment, timeout=120, check=False).returncode == 0
    assert by_opskit(require_complete(open_snapshot(tmp_path / "a"))) == by_the_sdk(moto)


@pytest.mark.engine
def test_a_table_made_anew_meanwhile_is_refused(moto: Engine, tmp_path: Path) -> None:
    """A table whose id is another at the end was not read; nothing is left."""
    client = reading_client(moto.connection)
    described = iter(["before", "after"])

    def rename(parsed: dict[str, Any], **_: object) -> None:
        parsed["Table"]["TableId"] = next(described)

    client.meta.events.register("after-call.dynamodb.DescribeTable", rename)
    with pytest.raises(CorruptResponseError, match="replaced"):
        snapshot_table(client, TABLE, tmp_path / "a")
    assert not (tmp_path / "a").exists()
