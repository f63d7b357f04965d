"""What a read says of itself: a live table read in part, and pages without a checksum."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opskit.cli import sources
from opskit.cli.options import Common
from opskit.errors import IncompleteReadError
from opskit.read.decode import decode_items
from opskit.read.manifest import MANIFEST_NAME, Manifest, Source, SourceKind
from opskit.read.query import snapshot_account
from opskit.read.scan import ScanOptions, resume_table, snapshot_table
from opskit.read.snapshot import Snapshot, SnapshotWriter, open_snapshot
from tests.captures import entry
from tests.faults.model import TABLE, ModelTable, Reply, Request, error_reply
from tests.faults.patience import VirtualClock, patience_on
from tests.faults.runs import model_of
from tests.faults.seam import Seam

COMMON = Common(None, None, None, None, json=False, as_of=datetime(2026, 1, 1, tzinfo=UTC))


def partial_read(out: Path) -> Snapshot:
    """A snapshot of a table whose second segment is missing."""
    now = datetime.now(UTC)
    with SnapshotWriter(out) as writer:
        writer.write("0", decode_items(json.dumps([entry("USER#a", 1, 5)]).encode()))
        source = Source(SourceKind.TABLE, "books")
        return writer.finish(source, started=now, ended=now, missing=("segment 2 of 2: denied",))


def test_a_scratch_read_in_part_says_what_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is gone when the verb ends is not named; what can be resumed is."""
    folders: list[Path] = []

    def take(*given: object, **_: object) -> Snapshot:
        folder = given[2]
        assert isinstance(folder, Path)
        folders.append(folder)
        return partial_read(folder)

    monkeypatch.setattr(sources, "take", take)
    with pytest.raises(IncompleteReadError) as caught, sources.source(COMMON, (), ()):
        pytest.fail("nothing may be judged by a part of the books")
    said = str(caught.value)
    assert said.startswith("books was read only in part: segment 2 of 2: denied; ")
    assert "opskit snapshot --out DIR" in said
    assert "--resume" in said
    assert str(folders[0].parent) not in said
    assert not folders[0].parent.exists()


class Unchecked:
    """A sound table whose first pages of a scan or query come without their checksum."""

    def __init__(self, model: ModelTable, bare: int, *, denied_after: int | None = None) -> None:
        self.model, self.bare, self.denied_after = model, bare, denied_after
        self.pages = 0

    def answer(self, operation: str, request: Request) -> Reply:
        """One reply; beyond a number of pages the table is no longer to be read."""
        reply = self.model.answer(operation, request)
        if operation not in ("Scan", "Query"):
            return reply
        self.pages += 1
        if self.denied_after is not None and self.pages > self.denied_after:
            return error_reply("AccessDeniedException")
        return reply.header("x-amz-crc32", None) if self.pages <= self.bare else reply


@pytest.fixture
def seam() -> Seam:
    """One client whose requests are answered here."""
    return Seam()


def options() -> ScanOptions:
    """One segment, and a clock of the test's own."""
    return ScanOptions(segments=1, workers=1, patience=patience_on(VirtualClock()))


@pytest.mark.parametrize(
    ("bare", "said"), [(0, ""), (2, ", 2 of its pages without a checksum")], ids=["none", "two"]
)
def test_pages_without_a_checksum_are_counted(
    bare: int, said: str, seam: Seam, tmp_path: Path
) -> None:
    """The manifest says how many pages nobody could check, and says nothing where all were."""
    seam.answer = Unchecked(model_of(1), bare).answer
    snapshot_table(seam.client, TABLE, tmp_path / "s", options=options())
    manifest = open_snapshot(tmp_path / "s").manifest
    assert manifest.unchecked_pages == bare
    assert manifest.describe().endswith(f"{manifest.ended}{said}")


def test_an_accounts_pages_are_counted_too(seam: Seam, tmp_path: Path) -> None:
    """Reading one partition counts as a scan does."""
    model = model_of(1)
    seam.answer = Unchecked(model, 1).answer
    account = model.items[0]["pk"]["S"]
    assert snapshot_account(seam.client, TABLE, account, tmp_path / "s").manifest.unchecked_pages


def test_the_count_goes_on_when_a_read_is_resumed(seam: Seam, tmp_path: Path) -> None:
    """What was not checked before a resume is still told after it."""
    model = model_of(1)
    seam.answer = Unchecked(model, 2, denied_after=3).answer
    snapshot_table(seam.client, TABLE, tmp_path / "s", options=options())
    seam.answer = Unchecked(model, 1).answer
    whole = resume_table(seam.client, tmp_path / "s", options=options())
    assert whole.manifest.unchecked_pages == 3


def test_a_manifest_without_the_count_is_read(seam: Seam, tmp_path: Path) -> None:
    """A snapshot that an earlier opskit wrote is a snapshot still."""
    seam.answer = Unchecked(model_of(1), 0).answer
    snapshot_table(seam.client, TABLE, tmp_path / "s", options=options())
    path = tmp_path / "s" / MANIFEST_NAME
    document = json.loads(path.read_bytes())
    for segment in document["segments"].values():
        del segment["unchecked"]
    path.write_text(json.dumps(document))
    assert Manifest.read(tmp_path / "s").unchecked_pages == 0
