"""An export's two manifests, believed only after their checksums, forms and names were checked."""

import codecs
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import msgspec

from opskit.errors import IncompleteReadError
from opskit.read.export.checksums import md5_of
from opskit.read.export.faults import ExportFault, faulty
from opskit.read.export.store import Address, Listing, Store, read_object

SUMMARY = "manifest-summary.json"
FILES = "manifest-files.json"
STARTED = "_started"
MAX_SUMMARY = 1 << 20
MAX_MANIFEST = 96 << 20
MAX_FILES = 250_000
"""More than the partitions of any table known; what is larger is refused, not held in memory."""

_ENDINGS = (".checksum", ".md5")
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_EXPORT_ARN = re.compile(r"(arn:aws[a-z-]*:dynamodb:[^:]+:[0-9]{12}:table/[^/]+)/export/([^/]+)")

T = TypeVar("T")


_NULL = msgspec.Raw(b"null")


class _Summary(msgspec.Struct):
    exportArn: str  # noqa: N815 - the names are the manifest's own
    tableArn: str  # noqa: N815
    tableId: str  # noqa: N815
    s3Bucket: str  # noqa: N815
    manifestFilesS3Key: str  # noqa: N815
    itemCount: int  # noqa: N815
    outputFormat: str  # noqa: N815
    s3Prefix: str | None = None  # noqa: N815
    exportTime: datetime | None = None  # noqa: N815
    exportType: str | None = None  # noqa: N815
    exportFromTime: datetime | None = None  # noqa: N815
    exportToTime: datetime | None = None  # noqa: N815
    filterSpecification: msgspec.Raw = _NULL  # noqa: N815


class _File(msgspec.Struct):
    itemCount: int  # noqa: N815
    md5Checksum: str  # noqa: N815
    dataFileS3Key: Annotated[str, msgspec.Meta(max_length=1024)]  # noqa: N815


@dataclass(frozen=True, slots=True)
class DataFile:
    """One data file: its name from the store's root on, items, and MD5 of its compressed bytes."""

    name: str
    items: int
    md5: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Export:
    """What an export's manifests say; a full one is as of `until`, an increment from `since` on."""

    id: str
    arn: str
    table_arn: str
    table_id: str
    items: int
    since: datetime | None
    until: datetime
    files: tuple[DataFile, ...]
    digests: dict[str, str]

    @property
    def incremental(self) -> bool:
        """Whether it holds the changes of a window, not the table."""
        return self.since is not None


def read_manifests(address: Address, store: Store, folder: str) -> Export:
    """The export in a folder of a store, its manifests checked and its data files found.

    Raises IncompleteReadError for one that has not ended, ExportError for anything wrong.
    """
    held = store.listing(folder)
    if SUMMARY not in held.files:
        raise _unfinished(store, folder, held)
    summary_name, files_name = f"{folder}/{SUMMARY}", f"{folder}/{FILES}"
    text = _checked(store, held, summary_name, MAX_SUMMARY)
    summary = _decoded(store, summary_name, text, _Summary)
    place = _require_consistent(summary, address, store, folder)
    if FILES not in held.files:
        raise faulty(ExportFault.MANIFEST_MISSING, store.shown(files_name))
    lines = _checked(store, held, files_name, MAX_MANIFEST)
    files = _data_files(store, files_name, lines, place)
    if sum(file.items for file in files) != summary.itemCount:
        detail = f"{sum(file.items for file in files):,} against {summary.itemCount:,}"
        raise faulty(ExportFault.COUNT_SUM, store.shown(files_name), detail)
    since, until = _window(summary, store.shown(summary_name))
    return Export(
        id=place.export,
        arn=summary.exportArn,
        table_arn=summary.tableArn,
        table_id=summary.tableId,
        items=summary.itemCount,
        since=since,
        until=until,
        files=_found(store, place, files),
        digests={
            SUMMARY: hashlib.sha256(text).hexdigest(),
            FILES: hashlib.sha256(lines).hexdigest(),
        },
    )


def _unfinished(store: Store, folder: str, held: Listing) -> Exception:
    """The error for a folder without a summary, which an export writes last."""
    name = store.shown(folder)
    if STARTED not in held.files and FILES not in held.files and "data" not in held.folders:
        return faulty(ExportFault.NO_EXPORT, name)
    message = f"{name}: the export has not ended: there is no {SUMMARY} yet; it is UNKNOWN what"
    return IncompleteReadError(f"{message} it will hold, `opskit export wait` waits for it")


def _checked(store: Store, held: Listing, name: str, limit: int) -> bytes:
    """A manifest's bytes, which match its checksum file and begin without a mark."""
    bare = name.rpartition("/")[2]
    folder = name[: -len(bare)]
    candidates = [f"{stem}{end}" for end in _ENDINGS for stem in (bare[: -len(".json")], bare)]
    present = [candidate for candidate in candidates if candidate in held.files]
    if not present:
        raise faulty(ExportFault.CHECKSUM_MISSING, store.shown(name), f"{candidates[0]}")
    text = read_object(store, name, limit)
    for candidate in present:
        checksum = read_object(store, f"{folder}{candidate}", 4096)
        digest = md5_of(checksum.decode("ascii", "replace"))
        if digest is None:
            raise faulty(ExportFault.CHECKSUM_FORM, store.shown(f"{folder}{candidate}"))
        if digest != hashlib.md5(text, usedforsecurity=False).digest():
            raise faulty(ExportFault.MANIFEST_ALTERED, store.shown(name), candidate)
    if text.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise faulty(ExportFault.BYTE_ORDER_MARK, store.shown(name))
    return text


def _decoded(store: Store, name: str, text: bytes, kind: type[T], *, line: int = 0) -> T:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        detail = f"line {line}: {error}" if line else str(error)
        raise faulty(ExportFault.NOT_A_MANIFEST, store.shown(name), detail) from None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an export's data files lie: as the manifest spells it, and from the root on."""

    export: str
    spelled: str
    folder: str
    shared: bool


def _require_consistent(summary: _Summary, address: Address, store: Store, folder: str) -> _Place:
    """The place of the data files, when every name in the summary is of this one export."""
    name = store.shown(f"{folder}/{SUMMARY}")
    if summary.itemCount < 0:
        raise faulty(ExportFault.NEGATIVE, name, f"itemCount {summary.itemCount}")
    if summary.outputFormat != "DYNAMODB_JSON":
        raise faulty(ExportFault.FORMAT, name, summary.outputFormat[:40])
    if bytes(summary.filterSpecification) != b"null":
        raise faulty(ExportFault.FILTERED, name)
    arn = _EXPORT_ARN.fullmatch(summary.exportArn)
    if arn is None:
        raise faulty(ExportFault.NOT_A_MANIFEST, name, "exportArn is no export's")
    if arn[1] != summary.tableArn:
        raise faulty(ExportFault.OTHER_TABLE, name, "exportArn and tableArn differ")
    prefix = (summary.s3Prefix or "").strip("/")
    root = f"{prefix}/AWSDynamoDB/" if prefix else "AWSDynamoDB/"
    if address.bucket and (summary.s3Bucket, root) != (address.bucket, address.prefix):
        detail = f"s3://{summary.s3Bucket}/{root}; a copy is read from a local folder"
        raise faulty(ExportFault.OTHER_BUCKET, name, detail)
    misplaced = summary.manifestFilesS3Key != f"{root}{arn[2]}/{FILES}"
    if misplaced or ((address.bucket or _is_layout(store)) and folder != arn[2]):
        raise faulty(ExportFault.OTHER_EXPORT, name, arn[2][:60])
    shared = summary.exportType == "INCREMENTAL_EXPORT"
    own = "data/" if shared else f"{arn[2]}/data/"
    return _Place(arn[2], f"{root}{own}", "data" if shared else f"{folder}/data", shared)


def _is_layout(store: Store) -> bool:
    """Whether the root is named as DynamoDB names it, so that an export's folder is too."""
    return store.shown("").rstrip("/").endswith("AWSDynamoDB")


def _window(summary: _Summary, name: str) -> tuple[datetime | None, datetime]:
    """The window of an increment; for a full export its one instant."""
    if summary.exportType == "INCREMENTAL_EXPORT":
        since, until = summary.exportFromTime, summary.exportToTime
        if since is None or until is None or _utc(since) >= _utc(until):
            raise faulty(ExportFault.NOT_A_MANIFEST, name, "its window has no length")
        return _utc(since), _utc(until)
    if summary.exportTime is None or summary.exportType not in {None, "FULL_EXPORT"}:
        raise faulty(ExportFault.NOT_A_MANIFEST, name, "exportTime or exportType is not known")
    return None, _utc(summary.exportTime)


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _data_files(store: Store, name: str, text: bytes, place: _Place) -> list[DataFile]:
    """The data files of the manifest, each named once and inside the data folder."""
    shown = store.shown(name)
    if text.count(b"\n") > MAX_FILES:
        raise faulty(ExportFault.TOO_LARGE, shown, f"over {MAX_FILES:,} files")
    files: dict[str, DataFile] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        file = _data_file(_decoded(store, name, line, _File, line=number), place, shown)
        if file.name in files:
            raise faulty(ExportFault.KEY_TWICE, shown, f"line {number}: {file.name[-80:]}")
        files[file.name] = file
    return list(files.values())


def _data_file(line: _File, place: _Place, shown: str) -> DataFile:
    key = line.dataFileS3Key
    bare = key.removeprefix(place.spelled)
    if bare == key or not _PART.fullmatch(bare):
        raise faulty(ExportFault.KEY_OUTSIDE, shown, repr(key[:120]))
    if line.itemCount < 0:
        raise faulty(ExportFault.NEGATIVE, shown, f"itemCount {line.itemCount} of {bare}")
    digest = md5_of(line.md5Checksum)
    if digest is None:
        raise faulty(ExportFault.CHECKSUM_FORM, shown, f"md5Checksum of {bare}")
    return DataFile(f"{place.folder}/{bare}", line.itemCount, digest, 0)


def _found(store: Store, place: _Place, files: list[DataFile]) -> tuple[DataFile, ...]:
    """The files with their sizes; none missing, none empty without reason, none besides."""
    sizes = {
        f"{place.folder}/{name}": size for name, size in store.listing(place.folder).files.items()
    }
    for file in files:
        if file.name not in sizes:
            raise faulty(ExportFault.FILE_MISSING, store.shown(file.name))
        if file.items and not sizes[file.name]:
            detail = f"{file.items:,} items"
            raise faulty(ExportFault.FILE_EMPTY, store.shown(file.name), detail)
    extra = sorted(sizes.keys() - {file.name for file in files})
    if extra and not place.shared:
        raise faulty(ExportFault.FILE_EXTRA, store.shown(extra[0]))
    return tuple(DataFile(f.name, f.items, f.md5, sizes[f.name]) for f in files)
