"""One process's share of an export: data files decoded line by line into Parquet files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
import pyarrow.compute as pc

from opskit.errors import CorruptResponseError, ExportError
from opskit.read.decode import decode_items, decode_lines
from opskit.read.export.changes import CHANGE, Change, ChangeFile, change_table
from opskit.read.export.faults import ExportFault, faulty
from opskit.read.export.lines import MAX_LINE, Lines, whole_cause
from opskit.read.export.store import Address, Store
from opskit.read.export.summary import DataFile
from opskit.read.rowgroups import KindFiles
from opskit.read.schema import Batches
from opskit.read.typed import RAW_LINE
from opskit.tables.items import KindName

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Share:
    """Data files that one process decodes into the files of one part."""

    address: Address
    files: tuple[DataFile, ...]
    folder: Path
    part: int
    incremental: bool = False


@dataclass(frozen=True, slots=True)
class FileRead:
    """What a data file held: its lines, its rows of each kind in the part's files, its layouts."""

    name: str
    part: int
    lines: int
    rows: dict[KindName, int]
    layouts: frozenset[str]


def read_share(share: Share, go_on: Callable[[], bool] = lambda: True) -> list[FileRead]:
    """Decode every file of a share, whole and verified; ExportError names the first at fault.

    Ends early, with what was read so far, when `go_on` says so.
    """
    store = share.address.connect()
    kinds = KindFiles(share.folder, share.part)
    changes = ChangeFile(share.folder, share.part) if share.incremental else None
    reads = []
    try:
        for file in share.files:
            if not go_on():
                break
            reads.append(_read_file(store, file, _Sink(kinds, changes, share.part), go_on))
        kinds.close()
    finally:
        kinds.discard()
        if changes:
            changes.close()
    return reads


@dataclass(frozen=True, slots=True)
class _Sink:
    kinds: KindFiles
    changes: ChangeFile | None
    part: int


def _read_file(store: Store, file: DataFile, sink: _Sink, go_on: Callable[[], bool]) -> FileRead:
    """Decode one file; a fault of its content is told as that of its bytes where these differ."""
    name = store.shown(file.name)
    with store.open(file.name) as stream:
        lines = Lines(stream, file, name)
        try:
            return _decoded(lines, sink, go_on)
        except ExportError as error:
            raise whole_cause(lines, error) from None


def _decoded(lines: Lines, sink: _Sink, go_on: Callable[[], bool]) -> FileRead:
    count = 0
    rows: dict[KindName, int] = {}
    layouts: set[str] = set()
    for block in lines.blocks():
        try:
            batches, here = _batches(lines.name, block, count, sink.changes)
        except ExportError:
            _require_room(lines, count + block.count(b"\n"))
            raise
        _require_room(lines, count + here)
        _require_keys(lines.name, count, batches)
        for kind, batch in batches.items():
            rows[kind] = rows.get(kind, 0) + batch.num_rows
            layouts.update(pc.unique(batch["layout"]).to_pylist())
        sink.kinds.add(batches)
        count += here
        if not go_on():
            break
    else:
        if count != lines.file.items:
            raise _miscounted(lines, f"{count:,}")
    return FileRead(lines.file.name, sink.part, count, rows, frozenset(layouts))


def _require_room(lines: Lines, count: int) -> None:
    """Raise ExportError when there are more lines than the manifest gives."""
    if count > lines.file.items:
        raise _miscounted(lines, f"{count:,} or more")


def _miscounted(lines: Lines, found: str) -> ExportError:
    detail = f"{found} against {lines.file.items:,}"
    return faulty(ExportFault.LINE_COUNT, lines.name, detail)


def _batches(
    name: str, block: bytes, before: int, changes: ChangeFile | None
) -> tuple[Batches, int]:
    """The items of a block's lines as one Arrow batch per kind, and the number of lines.

    Of changes, the items that they left.
    """
    try:
        if changes is None:
            batches = decode_lines(block)
            return batches, sum(batch.num_rows for batch in batches.values())
        parsed = _changes(name, _texts(block), before)
        changes.add(change_table(parsed))
        kept = [change.NewImage for change in parsed if not change.deleted]
        return decode_items(b"[" + b",".join(kept) + b"]"), len(parsed)
    except CorruptResponseError as error:
        _parsed(name, _texts(block), before, RAW_LINE)  # names the line, where it is one's fault
        raise faulty(ExportFault.LINE, name, f"after line {before}: {error}") from None


def _texts(block: bytes) -> list[bytes]:
    return block.split(b"\n")[:-1]


def _changes(name: str, texts: Sequence[bytes], before: int) -> list[Change]:
    """The lines of an incremental export; ExportError names the first that is no sound change."""
    parsed = _parsed(name, texts, before, CHANGE)
    for number, (text, change) in enumerate(zip(texts, parsed, strict=True), before + 1):
        fault = change.fault() or (len(text) > MAX_LINE and "it is too long")
        if fault:
            raise faulty(ExportFault.LINE, name, f"line {number}: {fault}")
    return parsed


def _parsed(
    name: str, texts: Sequence[bytes], before: int, decoder: "msgspec.json.Decoder[T]"
) -> list[T]:
    """Every line as a structure; ExportError names the first that is none."""
    decode = decoder.decode
    parsed: list[T] = []
    try:
        # Extending keeps what came before the line at fault, whose number is told.
        parsed.extend(map(decode, texts))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        detail = f"line {before + len(parsed) + 1}: {error}"
        raise faulty(ExportFault.LINE, name, detail) from None
    return parsed


def _require_keys(name: str, before: int, batches: Batches) -> None:
    """Raise ExportError for an item that lacks the key of a billing table."""
    odd = batches.get(KindName.UNCLASSIFIED)
    if odd is None or not (odd["account"].null_count or odd["sk"].null_count):
        return
    keyless = odd.filter(pc.or_(odd["account"].is_null(), odd["sk"].is_null()))
    reason = ", ".join(keyless["defects"][0].as_py())
    raise faulty(ExportFault.KEY_MISSING, name, f"after line {before}: {reason}")
