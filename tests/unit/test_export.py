"""Exports read whole: every true one, and the same audit as from a capture of its items."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from captures import balance, entry, write_capture
from exports import (
    BUCKET,
    EXPORT_TIME,
    TABLE_ARN,
    TABLE_ID,
    ExportFolder,
    Item,
    change_line,
    full_export,
    increment,
    new_export,
)

from opskit.audit.run import audit_snapshot
from opskit.errors import CaptureError, ExportError, IncompleteReadError, InputError
from opskit.present.json import report_json
from opskit.read.capture import read_captures
from opskit.read.export import locate_export, read_export
from opskit.read.manifest import SourceKind
from opskit.read.snapshot import Snapshot, open_snapshot
from opskit.tables.items import KindName

CAPTURE = Path(__file__).parents[1] / "data" / "billing-capture"
AS_OF = datetime(2026, 12, 1, tzinfo=UTC)
LATER = EXPORT_TIME + timedelta(hours=6)


def captured(name: str) -> list[Item]:
    """The items of a captured table."""
    with gzip.open(CAPTURE / name, "rt") as lines:
        return [json.loads(line)["Item"] for line in lines]


def read(export: ExportFolder, out: Path, *increments: ExportFolder) -> Snapshot:
    """The snapshot of an export and of increments on it."""
    places = [locate_export(str(one.root)) for one in increments]
    return read_export(locate_export(str(export.root)), out, increments=places, workers=1)


def rows(snapshot: Snapshot) -> Iterator[tuple[object, ...]]:
    """Every row of every kind of a snapshot, in order."""
    for kind in KindName:
        paths = [str(path) for path in snapshot.files(kind)]
        if paths:
            query = "SELECT ?, * FROM read_parquet(?) ORDER BY ALL"
            yield from duckdb.execute(query, [kind.value, paths]).fetchall()


@pytest.mark.parametrize("name", ["billing.jsonl.gz", "billing_ccbill.jsonl.gz"])
def test_an_export_is_audited_like_a_capture_of_its_items(tmp_path: Path, name: str) -> None:
    """Of each layout, the report of the export is the report of the capture, to the last cent."""
    export = full_export(tmp_path / "s3", captured(name)).seal()
    mine = audit_snapshot(read(export, tmp_path / "export"), as_of=AS_OF)
    theirs = audit_snapshot(read_captures([CAPTURE / name], tmp_path / "capture"), as_of=AS_OF)
    assert report_json(mine) | {"source": ""} == report_json(theirs) | {"source": ""}
    assert mine.findings


def test_a_snapshot_of_an_export_says_of_what_table_and_instant_it_is(tmp_path: Path) -> None:
    """Source, account, instant, and a segment with the count of every data file, empty ones too."""
    export = full_export(tmp_path, captured("billing.jsonl.gz"), prefix="nightly/full").seal()
    snapshot = open_snapshot(read(export, tmp_path / "out").path)
    source = snapshot.manifest.source
    assert (source.kind, source.arn, source.table_id) == (SourceKind.EXPORT, TABLE_ARN, TABLE_ID)
    assert (source.account, source.as_of) == ("123456789012", EXPORT_TIME.isoformat())
    assert sorted(source.inputs) == [
        f"{export.id}/manifest-files.json",
        f"{export.id}/manifest-summary.json",
    ]
    counts = {name: read.items for name, read in snapshot.manifest.segments.items()}
    assert len(counts) == 4
    assert counts[f"{export.id}/data/partempty.json.gz"] == 0
    assert sum(counts.values()) == snapshot.manifest.items


@pytest.mark.parametrize("checksum", [".checksum", ".md5", ".json.checksum", ".json.md5"])
@pytest.mark.parametrize("spelling", ["base64", "hex"])
def test_checksum_files_of_either_name_and_spelling_are_accepted(
    tmp_path: Path, checksum: str, spelling: str
) -> None:
    """The guide's name and the loader's, in base64 and in hex."""
    export = full_export(tmp_path, [balance("USER#a")])
    export.checksum, export.spelling = checksum, spelling
    assert read(export.seal(), tmp_path / "out").manifest.items == 1


def test_a_data_file_of_no_bytes_is_an_empty_partition(tmp_path: Path) -> None:
    """A file of zero length is fine where the manifest gives it no items."""
    export = full_export(tmp_path, [balance("USER#a")])
    export.add("partzero.json.gz", [], packed=b"")
    assert read(export.seal(), tmp_path / "out").manifest.items == 1


def test_a_data_file_may_be_gzip_in_several_members(tmp_path: Path) -> None:
    """Members that follow each other are one file, as gzip has it."""
    lines = [json.dumps({"Item": entry("USER#a", n, 5)}).encode() + b"\n" for n in range(3)]
    export = new_export(tmp_path)
    export.add("many.json.gz", lines, packed=b"".join(gzip.compress(line) for line in lines))
    assert read(export.seal(), tmp_path / "out").manifest.items == 3


def test_the_folder_above_names_the_only_export_below_it(tmp_path: Path) -> None:
    """A person may name the bucket's copy; with two exports in it they have to choose."""
    full_export(tmp_path, [balance("USER#a")]).seal()
    assert locate_export(str(tmp_path)).folder == "01790000000000-a1b2c3d4"
    assert locate_export(str(tmp_path / "AWSDynamoDB")).folder == "01790000000000-a1b2c3d4"
    full_export(tmp_path, [balance("USER#a")], export_id="01790000000001-b").seal()
    with pytest.raises(ExportError, match="several exports are there"):
        locate_export(str(tmp_path))


def test_increments_make_the_table_of_their_end(tmp_path: Path) -> None:
    """Insertions, updates and deletions of two increments give what a capture then would."""
    first, second = balance("USER#a", owed_settled=5), balance("USER#b")
    entries = [entry("USER#a", number, 5) for number in range(4)]
    base = full_export(tmp_path, [first, second, *entries[:3]]).seal()
    changed = balance("USER#a", owed_settled=10)
    again = balance("USER#a", owed_settled=15)
    one = increment(
        tmp_path,
        [change_line(changed, first), change_line(None, entries[0]), change_line(None, second)],
        export_id="01790000000001-00000001",
        since=EXPORT_TIME,
        until=LATER,
    ).seal()
    two = increment(
        tmp_path,
        [change_line(again, changed), change_line(entries[3]), change_line(second)],
        export_id="01790000000002-00000002",
        since=LATER,
        until=LATER + timedelta(hours=6),
    ).seal()
    snapshot = open_snapshot(read(base, tmp_path / "out", one, two).path)
    capture = write_capture(tmp_path / "now.jsonl", [again, second, *entries[1:]])
    assert list(rows(snapshot)) == list(rows(read_captures([capture], tmp_path / "captured")))
    assert snapshot.manifest.source.as_of == (LATER + timedelta(hours=6)).isoformat()


def chain(tmp_path: Path, since: datetime, *, table_id: str = TABLE_ID) -> tuple[ExportFolder, ...]:
    """A full export and an increment whose window begins at an instant."""
    base = full_export(tmp_path, [balance("USER#a")]).seal()
    one = increment(
        tmp_path,
        [change_line(balance("USER#b"))],
        export_id="01790000000001-00000001",
        since=since,
        until=LATER,
    )
    one.summary["tableId"] = table_id
    return base, one.seal()


@pytest.mark.parametrize(
    ("since", "message"),
    [
        (EXPORT_TIME + timedelta(seconds=1), "changes are missing between them"),
        (EXPORT_TIME - timedelta(seconds=1), "a deletion could go unseen"),
    ],
)
def test_windows_have_to_meet(tmp_path: Path, since: datetime, message: str) -> None:
    """A gap loses changes, an overlap can keep what was deleted: both are refused."""
    base, one = chain(tmp_path, since)
    with pytest.raises(ExportError, match=message):
        read(base, tmp_path / "out", one)
    assert not (tmp_path / "out").exists()


def test_an_increment_of_another_table_is_refused(tmp_path: Path) -> None:
    """The same name with another TableId is a table made anew."""
    base, one = chain(tmp_path, EXPORT_TIME, table_id="another")
    with pytest.raises(ExportError, match="is of another table"):
        read(base, tmp_path / "out", one)


def test_an_increment_alone_is_refused(tmp_path: Path) -> None:
    """The sum of changes is not the table, and a full export is no increment."""
    base, one = chain(tmp_path, EXPORT_TIME)
    with pytest.raises(ExportError, match="changes, not the table"):
        read(one, tmp_path / "out")
    with pytest.raises(ExportError, match="is not a full export to apply"):
        read(one, tmp_path / "out", one)
    with pytest.raises(ExportError, match="is not an incremental export"):
        read(base, tmp_path / "out", base)


class Service:
    """A client that answers DescribeExport as told."""

    def __init__(self, **told: object) -> None:
        self.told = told

    def describe_export(self, ExportArn: str) -> dict[str, object]:  # noqa: N803
        """The answer."""
        assert ExportArn.startswith(TABLE_ARN)
        return {"ExportDescription": self.told}


@pytest.mark.parametrize(
    ("told", "error", "message"),
    [
        ({"ExportStatus": "COMPLETED", "ItemCount": 2}, ExportError, "than DescribeExport"),
        ({"ExportStatus": "IN_PROGRESS"}, IncompleteReadError, "IN_PROGRESS"),
        ({"ExportStatus": "FAILED"}, IncompleteReadError, "FAILED"),
        ({"ExportStatus": "COMPLETED", "FilterSpecification": {"a": "b"}}, ExportError, "filtered"),
    ],
)
def test_what_describe_export_says_is_believed(
    tmp_path: Path, told: dict[str, object], error: type[Exception], message: str
) -> None:
    """Another count, another status or a filter refuse the export."""
    export = full_export(tmp_path, [balance("USER#a")]).seal()
    place = locate_export(str(export.root))
    with pytest.raises(error, match=message):
        read_export(place, tmp_path / "out", client=Service(**told), workers=1)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("workers", [0, -1, 65, True])
def test_a_number_of_workers_that_is_none_is_refused(tmp_path: Path, workers: int) -> None:
    """Zero is not unlimited."""
    export = full_export(tmp_path, [balance("USER#a")]).seal()
    with pytest.raises(InputError, match="whole number"):
        read_export(locate_export(str(export.root)), tmp_path / "out", workers=workers)


@pytest.mark.parametrize("address", ["s3://", "s3://UPPER/x", "s3://b/../x", "http://h/x"])
def test_an_address_that_is_none_is_refused_before_any_call(address: str) -> None:
    """One line names the form that is expected."""
    with pytest.raises(InputError, match=r"s3://BUCKET/PREFIX|dotted part"):
        locate_export(address)


def test_the_bucket_is_compared_only_where_there_is_one(tmp_path: Path) -> None:
    """A folder may be a copy of any bucket, so its manifests' bucket is not looked at."""
    export = full_export(tmp_path, [balance("USER#a")])
    assert export.summary["s3Bucket"] == BUCKET
    export.summary["s3Bucket"] = "another-bucket"
    assert read(export.seal(), tmp_path / "out").manifest.items == 1


def test_a_folder_without_an_export_is_no_export(tmp_path: Path) -> None:
    """Neither an empty folder nor a missing one."""
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(CaptureError, match="no DynamoDB export is there"):
            locate_export(str(path))
