"""Every way an export can be wrong: its own error naming the object, and nothing left behind."""

import base64
import gzip
import hashlib
import json
from pathlib import Path

import pytest
from captures import balance, entry
from exports import EXPORT_TIME, ExportFolder, change_line, increment

from opskit.errors import ExportError, IncompleteReadError, OpskitError
from opskit.read.export import ExportFault, locate_export, read_export, summary
from opskit.read.export.lines import MAX_LINE
from tests.export_mutations import (
    FIRST,
    ITEMS,
    MUTATIONS,
    Mutation,
    make,
    repeat_key,
)


def refused(export: ExportFolder, out: Path) -> OpskitError:
    """The error that reading an export ends with; it leaves no folder."""
    with pytest.raises(OpskitError) as caught:
        read_export(locate_export(str(export.root)), out, workers=1)
    assert not out.exists()
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_fault_is_its_own_error(tmp_path: Path, mutation: Mutation) -> None:
    """The error says what is wrong with which object, exits 2, and no row is released."""
    export = make(tmp_path / "s3")
    mutation.change(export)
    error = refused(export, tmp_path / "out")
    assert isinstance(error, ExportError)
    assert (error.fault, error.exit_code) == (mutation.fault.value, 2)
    assert mutation.names in error.name
    assert "USER#" not in str(error)


def test_the_mutations_change_what_would_be_read(tmp_path: Path) -> None:
    """The export that the mutations start from is read whole."""
    export = make(tmp_path / "s3").seal()
    snapshot = read_export(locate_export(str(export.root)), tmp_path / "out", workers=1)
    assert snapshot.manifest.items == len(ITEMS)


def test_a_key_in_another_files_is_named_with_both(tmp_path: Path) -> None:
    """A repeated key names the two data files that hold it, and not the key."""
    export = make(tmp_path / "s3")
    repeat_key(export)
    error = refused(export, tmp_path / "out")
    assert FIRST in str(error)
    assert "repeated.json.gz" in str(error)


@pytest.mark.parametrize("kept", [("_started",), ("_started", "manifest-files.json")])
def test_an_export_under_way_is_unknown(tmp_path: Path, kept: tuple[str, ...]) -> None:
    """Without a summary, which is written last, it is not known what the export will hold."""
    export = make(tmp_path / "s3").seal()
    for path in export.root.glob("*"):
        if path.is_file() and path.name not in kept:
            path.unlink()
    error = refused(export, tmp_path / "out")
    assert isinstance(error, IncompleteReadError)
    assert error.exit_code == 3
    assert "has not ended" in str(error)


def test_an_export_of_another_id_in_a_folder_of_dynamodbs_is_refused(tmp_path: Path) -> None:
    """A folder under AWSDynamoDB has the id of its export."""
    export = make(tmp_path / "s3").seal()
    moved = export.root.rename(export.root.with_name("01790000000009-ffffffff"))
    with pytest.raises(ExportError, match="belongs to another export"):
        read_export(locate_export(str(moved)), tmp_path / "out", workers=1)


def test_items_of_two_layouts_are_of_no_one_table(tmp_path: Path) -> None:
    """A table has one key; items with the other layout's are not its."""
    export = make(tmp_path / "s3")
    other = {("user_sub" if name == "pk" else name): v for name, v in balance("u1").items()}
    export.add("zother.json.gz", [json.dumps({"Item": other}).encode() + b"\n"])
    error = refused(export.seal(), tmp_path / "out")
    assert isinstance(error, ExportError)
    assert error.fault == ExportFault.KEY_MISSING.value


def test_a_manifest_of_a_million_lines_is_refused_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its bytes before it is held whole, and by its lines before one is decoded."""
    export = make(tmp_path / "s3").seal()
    export.write_manifest("manifest-files", b"{}\n" * 1_000_000)
    error = refused(export, tmp_path / "out")
    assert "larger than any manifest" in str(error)
    monkeypatch.setattr(summary, "MAX_MANIFEST", 1 << 20)
    assert "over 1,048,576 bytes" in str(refused(export, tmp_path / "out"))


def test_a_bomb_of_many_lines_ends_with_the_first_too_many(tmp_path: Path) -> None:
    """Lines beyond the count are not read, whatever they inflate to."""
    export = make(tmp_path / "s3")
    packed = gzip.compress(b"{}\n" * 5_000_000)
    export.add("bomb.json.gz", [b"1"], packed=packed)
    error = refused(export.seal(), tmp_path / "out")
    assert isinstance(error, ExportError)
    assert error.fault == ExportFault.LINE_COUNT.value


def test_the_longest_line_holds_the_largest_item() -> None:
    """400 KB of one-byte attributes inflate to less than the limit, twice and with a key."""
    largest_attribute = len(b'{"NULL":true},')
    assert 2 * (400 * 1024 // 2) * (largest_attribute + len(b'"ab":')) < MAX_LINE


CHANGES = [change_line(balance("USER#b")), change_line(None, entry("USER#a", 0, 5))]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b'{"Item":{}}\n', ExportFault.LINE),
        (b'{"Keys":{"pk":{"S":"a"},"sk":{"S":"b"}}}\n', ExportFault.LINE),
        (change_line(balance("USER#b"), micros=-1), ExportFault.LINE),
        (
            change_line(balance("USER#b")).replace(b'"sk":{"S":"BALANCE"}', b'"sk":{"S":"B"}', 1),
            ExportFault.LINE,
        ),
        (change_line({"user_sub": {"S": "u"}, **balance("USER#b")}), ExportFault.LINE),
        (change_line(None, entry("USER#a", 0, 5)), ExportFault.KEY_REPEATED),
    ],
    ids=["item", "no time", "negative time", "other key", "two keys", "twice"],
)
def test_a_change_that_is_none_refuses_its_increment(
    tmp_path: Path, line: bytes, fault: ExportFault
) -> None:
    """A line of another form, an image of another key, or a key with two lines."""
    base = make(tmp_path / "s3").seal()
    one = increment(
        tmp_path / "s3",
        [*CHANGES, line],
        export_id="01790000000001-00000001",
        since=EXPORT_TIME,
        until=EXPORT_TIME.replace(hour=18),
    ).seal()
    out = tmp_path / "out"
    with pytest.raises(ExportError) as caught:
        read_export(
            locate_export(str(base.root)), out, increments=[locate_export(str(one.root))], workers=1
        )
    assert caught.value.fault == fault.value
    assert not out.exists()


def test_md5_is_told_from_its_hex() -> None:
    """Both spellings are the same digest, and what is neither is none."""
    from opskit.read.export.checksums import md5_of

    digest = hashlib.md5(b"x")
    assert md5_of(digest.hexdigest()) == md5_of(base64.b64encode(digest.digest()).decode())
    assert md5_of(f"{digest.hexdigest()}  manifest-files.json\n") == digest.digest()
    assert [md5_of(text) for text in ("", "abc", "=", "é" * 24)] == [None] * 4
