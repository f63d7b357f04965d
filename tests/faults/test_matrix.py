"""The fault matrix: fifty tables, each read under its part of the faults, none silently wrong.

Every fault meets every way of reading on several tables here; `python -m tests.soak.faults` throws
all of them at every table. A run that fails prints its seed, its fault and its way of reading.
"""

import _thread
import threading
from pathlib import Path

import pytest

from opskit.aws import Connection, reading_client
from opskit.errors import AccessError, CorruptResponseError, OpskitError
from opskit.read.manifest import ReadVerdict
from opskit.read.query import items_by_key
from opskit.read.scan import ScanOptions, resume_table, snapshot_table
from opskit.read.snapshot import open_snapshot, require_complete
from opskit.read.table import table_identity
from tests.faults.calls import Way
from tests.faults.catalogue import FAULTS
from tests.faults.items import key_of
from tests.faults.judge import Trial, orphans
from tests.faults.line import Toxic, proxied, served
from tests.faults.model import TABLE, ModelTable, Reply, Request, error_reply, reply_of
from tests.faults.oracle import fault_of
from tests.faults.patience import VirtualClock, patience_on
from tests.faults.runs import cases, line_cases, line_client, model_of, run, run_line
from tests.faults.seam import Seam

SEEDS = range(50)
LINE_SEEDS = range(0, 50, 5)
_SHARE = 24
_LINE_SHARE = 6


@pytest.fixture(scope="module")
def seam() -> Seam:
    """One client of the product for all runs, answered in this process."""
    return Seam()


@pytest.mark.parametrize("seed", SEEDS)
def test_replies(seed: int, seam: Seam, tmp_path: Path) -> None:
    """Whatever befalls replies, a read is right, or says that it is not whole."""
    outcomes = [run(seam, seed, *case, tmp_path) for case in cases(seed, share=_SHARE)]
    assert not [str(outcome) for outcome in outcomes if outcome.wrong]


@pytest.mark.parametrize("seed", LINE_SEEDS)
def test_line(seed: int, tmp_path: Path) -> None:
    """Whatever befalls connections, a read is right, or says that it is not whole."""
    model = model_of(seed)
    with served(model) as server, proxied(server) as (proxy, url):
        server.chunked = seed % 2 == 1
        line = (line_client(url), proxy, model)
        outcomes = [
            run_line(line, seed, case, tmp_path)
            for case in line_cases(seed // 5, share=_LINE_SHARE)
        ]
    assert not [str(outcome) for outcome in outcomes if outcome.wrong]


def test_every_row_is_there() -> None:
    """The catalogue has the rows of the matrix that befall replies to a scan or a query."""
    rows = {fault.row for fault in FAULTS}
    assert {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 16, 17, 19} <= rows
    assert all(list(cases(seed, share=_SHARE)) for seed in SEEDS)
    covered = {case for seed in SEEDS for case in cases(seed, share=_SHARE)}
    assert covered == set(cases(0))


def _options(**more: object) -> ScanOptions:
    chosen: dict[str, object] = {"segments": 8, "patience": patience_on(VirtualClock()), **more}
    return ScanOptions(**chosen)  # type: ignore[arg-type]


def test_one_segment_of_eight(seam: Seam, tmp_path: Path) -> None:
    """A segment that is throttled for ever leaves the seven others whole, and resumes."""
    model = model_of(1)

    def answer(operation: str, request: Request) -> Reply:
        if operation == "Scan" and request["Segment"] == 3:
            return error_reply("ThrottlingException")
        return model.answer(operation, request)

    seam.answer = answer
    manifest = snapshot_table(seam.client, TABLE, tmp_path / "s", options=_options()).manifest
    assert manifest.verdict is ReadVerdict.PARTIAL
    assert [name for name, read in manifest.segments.items() if not read.done] == ["3"]
    assert len(manifest.missing) == 1
    seam.answer = model.answer
    resumed = resume_table(seam.client, tmp_path / "s", options=_options())
    assert require_complete(resumed)
    assert not fault_of(resumed, model.items)


@pytest.mark.parametrize("way", [Way.SERIAL, Way.PARALLEL])
def test_without_checksums(way: Way, seam: Seam, tmp_path: Path) -> None:
    """Pages whose checksum was taken away are counted; a strict scan does not use them."""
    model = model_of(1)
    seam.answer = lambda operation, request: model.answer(operation, request).header(
        "x-amz-crc32", None
    )
    segments = 1 if way is Way.SERIAL else 8
    options = _options(segments=segments)
    taken = snapshot_table(seam.client, TABLE, tmp_path / "s", options=options)
    pages = sum(segment.pages for segment in taken.manifest.segments.values())
    assert taken.manifest.unchecked_pages == pages
    assert f"{pages} of its pages without a checksum" in taken.manifest.describe()
    with pytest.raises(CorruptResponseError, match="without the checksum"):
        snapshot_table(
            seam.client,
            TABLE,
            tmp_path / "strict",
            options=_options(segments=segments, strict=True),
        )
    assert not (tmp_path / "strict").exists()


@pytest.mark.parametrize("way", Way)
def test_recreated(way: Way, seam: Seam, tmp_path: Path) -> None:
    """A table that was replaced while it was read gives nothing."""
    model, other = model_of(2), model_of(3)
    other.table_id = "2" * 36
    asked: list[str] = []

    def answer(operation: str, request: Request) -> Reply:
        asked.append(operation)
        return (model if len(asked) < 4 else other).answer(operation, request)

    seam.answer = answer
    trial = _trial(seam, way, model, tmp_path / "s")
    with pytest.raises(CorruptResponseError, match="was replaced"):
        trial.read()
    assert not (tmp_path / "s").exists()


def _trial(seam: Seam, way: Way, model: ModelTable, out: Path) -> Trial:
    patience = patience_on(VirtualClock())
    return Trial(seam.client, way, model, out, patience, FAULTS[0].ends, lambda: None)


@pytest.mark.parametrize("way", [Way.SERIAL, Way.PARALLEL])
@pytest.mark.parametrize("mistake", [KeyboardInterrupt, RuntimeError, MemoryError])
def test_stopped(mistake: type[BaseException], way: Way, seam: Seam, tmp_path: Path) -> None:
    """Ctrl-C, or a mistake in a worker, passes on; what was read stays, and reads on."""
    model = model_of(4)
    pages: list[Request] = []
    lock = threading.Lock()

    def answer(operation: str, request: Request) -> Reply:
        with lock:
            pages.append(request)
            due = len(pages) == 6
        if due and mistake is KeyboardInterrupt:
            _thread.interrupt_main()
            assert trial.patience.stop.wait(10)
        elif due:
            raise mistake("the worker broke")
        return model.answer(operation, request)

    seam.answer = answer
    trial = _trial(seam, way, model, tmp_path / "s")
    with pytest.raises(mistake):
        trial.read()
    assert not orphans()
    left = open_snapshot(tmp_path / "s")
    assert left.manifest.verdict is ReadVerdict.PARTIAL
    assert not fault_of(left, model.items)
    resumed = resume_table(seam.client, left.path, options=ScanOptions())
    assert not fault_of(require_complete(resumed), model.items)


def test_stopped_query(seam: Seam, tmp_path: Path) -> None:
    """Ctrl-C in the middle of an account leaves no folder."""
    model = model_of(4)

    def answer(operation: str, request: Request) -> Reply:
        if "ExclusiveStartKey" in request:
            raise KeyboardInterrupt
        return model.answer(operation, request)

    seam.answer = answer
    with pytest.raises(KeyboardInterrupt):
        _trial(seam, Way.QUERY, model, tmp_path / "s").read()
    assert not (tmp_path / "s").exists()


def test_nobody_listens(tmp_path: Path) -> None:
    """A closed port is an access error that names the endpoint, within the deadline."""
    client = reading_client(Connection("us-east-1", "http://127.0.0.1:9"))
    with pytest.raises(AccessError, match=r"cannot connect: http://127\.0\.0\.1:9"):
        snapshot_table(client, TABLE, tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_server_goes_away(tmp_path: Path) -> None:
    """A server that is gone in the middle of a scan leaves a PARTIAL snapshot that reads on."""
    model = model_of(5)
    with served(model) as server, proxied(server) as (proxy, url):
        client = line_client(url)
        proxy.strike(Toxic.REFUSE, always=True)
        options = ScanOptions(segments=1, patience=patience_on(VirtualClock()))
        snapshot = snapshot_table(client, TABLE, tmp_path / "s", options=options)
        assert snapshot.manifest.verdict is ReadVerdict.PARTIAL
        proxy.strike(Toxic.NONE)
        resumed = resume_table(client, snapshot.path, options=ScanOptions())
    assert not fault_of(require_complete(resumed), model.items)


BATCH_FAULTS = {
    "HTML": lambda _: reply_of(b"<html>"),
    "empty": lambda _: reply_of(b"{}"),
    "bit flip": lambda reply: Reply(200, reply.headers, reply.body.replace(b"1", b"2", 1)),
    "cut": lambda reply: Reply(200, reply.headers, reply.body[:-30]),
    "throttled": lambda _: error_reply("ThrottlingException"),
}


@pytest.mark.parametrize("times", [2, 10**9])
@pytest.mark.parametrize("name", BATCH_FAULTS)
def test_batches(name: str, times: int, seam: Seam) -> None:
    """Keys asked are found or absent under any fault, or the read is refused."""
    model = model_of(6)
    model.unprocessed = 4
    asked = [*map(key_of, model.items[:30]), ("USER#0", "absent")]
    tries: list[str] = []

    def answer(operation: str, request: Request) -> Reply:
        reply = model.answer(operation, request)
        tries.append(operation)
        struck = operation == "BatchGetItem" and len(tries) <= times
        return BATCH_FAULTS[name](reply) if struck else reply

    seam.answer = model.answer
    table = table_identity(seam.client, TABLE)
    seam.answer = answer
    patience = patience_on(VirtualClock())
    if times > 2:
        with pytest.raises(OpskitError):
            items_by_key(seam.client, table, asked, patience=patience)
        return
    found = items_by_key(seam.client, table, asked, patience=patience)
    rows = [row for page in found.pages for batch in page.values() for row in batch.to_pylist()]
    assert sorted((row["account"], row["sk"]) for row in rows) == sorted(asked[:-1])
    assert found.absent == {asked[-1]}


@pytest.mark.parametrize(("strong", "cost"), [(True, "10,485,760"), (False, "5,242,880")])
def test_the_cost_is_told_first(strong: bool, cost: str, seam: Seam, tmp_path: Path) -> None:  # noqa: FBT001
    """Before 40 GiB are read it is said what that takes: a unit for every 4 KiB, or for two."""
    model = model_of(1)
    size = b'"TableSizeBytes":%d' % (40 * 2**30)

    def answer(operation: str, request: Request) -> Reply:
        reply = model.answer(operation, request)
        if operation == "DescribeTable":
            return reply_of(reply.body.replace(b'"TableSizeBytes":0', size))
        return reply

    said: list[str] = []
    seam.answer = answer
    options = _options(strong=strong)
    snapshot_table(seam.client, TABLE, tmp_path / "s", options=options, progress=said.append)
    assert f"about {cost} read units" in said[0]
    assert f"{int(cost.replace(',', '')) / 8e6:.2f} USD" in said[0]
