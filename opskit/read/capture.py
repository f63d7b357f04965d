"""Captures: files of `{"Item": {...}}` lines in DynamoDB JSON, gzip or not, into a snapshot."""

import codecs
import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from opskit.errors import CaptureError
from opskit.read.decode import decode_items
from opskit.read.manifest import Source, SourceKind
from opskit.read.snapshot import Snapshot, SnapshotWriter

BATCH_LINES = 20_000
_GZIP_MAGIC = b"\x1f\x8b"
_MAX_LINE = 4 * 1024 * 1024  # DynamoDB's largest item is 400 KB; JSON may quadruple it


class _Line(msgspec.Struct):
    Item: msgspec.Raw


_LINE = msgspec.json.Decoder(_Line)

Progress = Callable[[str], None]


def read_captures(
    paths: Sequence[Path], out: Path, *, progress: Progress = lambda _: None
) -> Snapshot:
    """Read capture files whole into a new snapshot's folder, or raise and leave no folder.

    A line that is not one item, or a file that is cut short, raises CaptureError naming the file
    and line; an item whose content is wrong is kept as a row that a check reports.
    """
    started = datetime.now(UTC)
    if not paths:
        raise CaptureError("--from-items names no file; give one or more captures")
    with SnapshotWriter(out) as writer:
        for number, path in enumerate(paths):
            items = 0
            for lines in _batches(path):
                items += writer.write(f"{number}:{path.name}", decode_items(lines))
                progress(f"{path.name}: {items:,} items read")
        source = Source(
            kind=SourceKind.CAPTURE,
            name=", ".join(path.name for path in paths),
            inputs={f"{n}:{path.name}": _digest(path) for n, path in enumerate(paths)},
        )
        return writer.finish(source, started=started, ended=datetime.now(UTC))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _batches(path: Path) -> Iterator[bytes]:
    """The items of a file, as JSON arrays of up to BATCH_LINES."""
    batch: list[bytes] = []
    for number, line in _lines(path):
        batch.append(_item(path, number, line))
        if len(batch) == BATCH_LINES:
            yield b"[" + b",".join(batch) + b"]"
            batch.clear()
    yield b"[" + b",".join(batch) + b"]"


def _item(path: Path, number: int, line: bytes) -> bytes:
    """The item of one line, still as JSON."""
    try:
        return bytes(_LINE.decode(line).Item)
    except msgspec.DecodeError as error:
        message = f'{path} line {number} is not {{"Item": {{...}}}} ({error}); capture it again'
        raise CaptureError(message) from None


def _unmarked(path: Path, line: bytes) -> bytes:
    """A file's first line without the byte-order mark some editors put there."""
    if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"\0{", b"{\0")):
        raise CaptureError(f"{path} is UTF-16; save it as UTF-8")
    return line.removeprefix(codecs.BOM_UTF8)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers from 1, blank ones left out."""
    try:
        with path.open("rb") as head:
            zipped = head.read(2) == _GZIP_MAGIC
        with gzip.open(path) if zipped else path.open("rb") as file:
            number = 0
            while line := file.readline(_MAX_LINE):
                number += 1
                if len(line) == _MAX_LINE:
                    message = f"{path} line {number} is longer than any item; is it a capture?"
                    raise CaptureError(message)
                if number == 1:
                    line = _unmarked(path, line)
                if line.strip():
                    yield number, line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        message = f"{path} is cut short or damaged ({error}); copy it again"
        raise CaptureError(message) from None
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}; name a capture file"
        raise CaptureError(message) from None
