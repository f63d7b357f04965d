"""What the fault matrix found once, each as the smallest case."""

import json
import resource
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from botocore.exceptions import ReadTimeoutError

from opskit.aws import service_error
from opskit.errors import AccessError, CaptureError, CorruptResponseError
from opskit.read.capture import read_captures
from opskit.read.decode import decode_items
from opskit.read.manifest import Source, SourceKind
from opskit.read.scan import ScanOptions, resume_table, snapshot_table
from opskit.read.snapshot import SnapshotWriter, require_complete
from tests.faults.items import Item
from tests.faults.model import TABLE, ModelTable, Reply, Request, error_reply, reply_of
from tests.faults.oracle import fault_of, rows_of, set_aside
from tests.faults.patience import VirtualClock, patience_on
from tests.faults.runs import model_of
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


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """Make the system refuse to write a file beyond so many bytes, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_rows_that_could_not_be_written(tmp_path: Path) -> None:
    """After a write that failed no manifest says that the rows are there."""
    rng = Random(1)
    items = [
        {"pk": {"S": "NOBODY"}, "sk": {"S": f"X#{number}"}, "b": {"S": rng.randbytes(40).hex()}}
        for number in range(40_000)
    ]
    with pytest.raises(CaptureError, match="is the disk full"):
        write_in_turn(tmp_path / "s", items[:5], items[5:])
    assert not (tmp_path / "s").exists()


def write_in_turn(folder: Path, first: list[Item], then: list[Item]) -> None:
    """Write items, then more while the disk is as good as full, then finish as a scan does."""
    now = datetime.now(UTC)
    with SnapshotWriter(folder) as writer:
        writer.write("0", decode_items(json.dumps(first).encode()), resume={})
        with small_files(100_000), suppress(OSError):
            writer.write("0", decode_items(json.dumps(then).encode()), resume={})
        source = Source(SourceKind.TABLE, "books")
        writer.finish(source, started=now, ended=now, missing=("segment 1",))


def test_what_a_killed_resume_left(tmp_path: Path) -> None:
    """Files that a killed process left beside a PARTIAL snapshot are not read as its own."""
    model = model_of(7)
    seam = Seam(model.answer)
    patience = patience_on(VirtualClock())

    def broken(operation: str, request: Request) -> Reply:
        late = operation == "Scan" and request["Segment"] == 2
        return error_reply("AccessDeniedException") if late else model.answer(operation, request)

    seam.answer = broken
    options = ScanOptions(segments=3, workers=1, patience=patience)
    folder = snapshot_table(seam.client, TABLE, tmp_path / "s", options=options).path
    (folder / "profiles.1.parquet").write_bytes(b"PAR1 cut")
    shutil.copy(next(folder.glob("unclassified.parquet")), folder / "unclassified.1.parquet")
    shutil.copy(next(folder.glob("entries.parquet")), folder / "markers.1.parquet")
    seam.answer = model.answer
    resumed = resume_table(seam.client, folder, options=ScanOptions())
    assert not fault_of(require_complete(resumed), model.items)
