"""A snapshot: a folder of Parquet files, one per kind of item, and a manifest with a verdict."""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from opskit.errors import CaptureError, IncompleteReadError
from opskit.read.manifest import (
    MANIFEST_NAME,
    FileRecord,
    Key,
    Manifest,
    ReadVerdict,
    SegmentRead,
    Source,
)
from opskit.read.repeats import settle_repeats
from opskit.read.rowgroups import KindFiles
from opskit.read.schema import Batches
from opskit.tables.items import KindName


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot on disk whose files have been found to be the ones its manifest names."""

    path: Path
    manifest: Manifest

    def files(self, kind: KindName) -> list[Path]:
        """The Parquet files that hold a kind, in the order they were written."""
        names = sorted(name for name, file in self.manifest.files.items() if file.kind == kind)
        return [self.path / name for name in names]

    def rows(self, kind: KindName) -> int:
        """How many items of a kind the snapshot holds."""
        return sum(file.rows for file in self.manifest.files.values() if file.kind == kind)


def open_snapshot(path: Path) -> Snapshot:
    """The snapshot in a folder, every file re-hashed; CaptureError names the first that differs."""
    manifest = Manifest.read(path)
    for name, file in manifest.files.items():
        if Path(name).name != name:
            message = f"{path}: the manifest names {name!r}, which is not a file of the snapshot"
            raise CaptureError(message)
        found = _sha256(path / name)
        if found != file.sha256:
            message = f"{path / name} is not the file that was written; take the snapshot again"
            raise CaptureError(message)
    return Snapshot(path, manifest)


def require_complete(snapshot: Snapshot) -> Snapshot:
    """The snapshot itself when its read was complete; IncompleteReadError otherwise."""
    manifest = snapshot.manifest
    if manifest.verdict is not ReadVerdict.COMPLETE:
        missing = "; ".join(manifest.missing) or "what is missing is not known"
        message = f"{snapshot.path} is {manifest.verdict}: {missing}; take the snapshot again"
        raise IncompleteReadError(message)
    return snapshot


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        message = f"{path}: {error.strerror}; the snapshot lacks a file its manifest names"
        raise CaptureError(message) from None


class SnapshotWriter:
    """Writes batches to a snapshot's folder as they arrive; the manifest comes last.

    Without a manifest the folder is no snapshot, so a process that dies leaves nothing that could
    be mistaken for one. Threads may share a writer: one writes at a time, the others wait.
    """

    def __init__(
        self, path: Path, *, continued: Manifest | None = None, unique: bool = False
    ) -> None:
        """`unique` says that whoever writes has made sure that no key is there twice."""
        self._path = path
        self._unique = unique
        self._lock = Lock()
        self._segments: dict[str, SegmentRead] = {}
        part = 0
        if continued is None:
            _make_folder(path)
        else:
            self._segments.update(continued.segments)
            _drop_others(path, continued)
            part = 1 + max((_part(name) for name in continued.files), default=0)
        self._files = KindFiles(path, part)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close the files; after an error remove the folder, unless a manifest was written."""
        try:
            self._files.discard()
        finally:
            if not (self._path / MANIFEST_NAME).exists():
                shutil.rmtree(self._path, ignore_errors=True)

    def begin(self, segment: str) -> SegmentRead:
        """How far a segment is; one that is new has begun with nothing read."""
        with self._lock:
            return self._segments.setdefault(segment, SegmentRead(0, 0, done=False))

    def write(
        self,
        segment: str,
        batches: Batches,
        *,
        resume: Key | None = None,
        checked: bool = True,
    ) -> int:
        """Append one page's batches; the number of items they hold.

        `resume` is the key the segment is to be continued from; without it the segment is done,
        unless more is written to it. A page that came without a checksum is not `checked`.
        """
        with self._lock:
            items = self._files.add(batches)
            before = self._segments.get(segment, SegmentRead(0, 0))
            self._segments[segment] = SegmentRead(
                before.pages + 1,
                before.items + items,
                resume,
                done=resume is None,
                unchecked=before.unchecked + (not checked),
            )
            return items

    def record(self, segment: str, read: SegmentRead) -> None:
        """Note a segment whose files other processes have written to the folder."""
        with self._lock:
            self._segments[segment] = read

    @property
    def segments(self) -> Mapping[str, SegmentRead]:
        """What has been read of each segment so far."""
        with self._lock:
            return dict(self._segments)

    def finish(
        self,
        source: Source,
        *,
        started: datetime,
        ended: datetime,
        capacity_units: str = "",
        missing: tuple[str, ...] = (),
    ) -> Snapshot:
        """Close the files and write the manifest, COMPLETE unless something is missing."""
        with self._lock:
            self._files.close()
            self._require_written()
        repeated = 0 if missing or self._unique else settle_repeats(self._path)
        files = self._records()
        manifest = Manifest(
            verdict=ReadVerdict.PARTIAL if missing else ReadVerdict.COMPLETE,
            source=source,
            started=started.isoformat(),
            ended=ended.isoformat(),
            items=sum(file.rows for file in files.values()),
            files=files,
            segments=self._segments,
            repeated=repeated,
            capacity_units=capacity_units,
            missing=missing,
            versions={name: version(name) for name in ("opskit", "pyarrow", "duckdb", "botocore")},
        )
        _write_durably(self._path / MANIFEST_NAME, manifest.to_json())
        return Snapshot(self._path, manifest)

    def _require_written(self) -> None:
        """Raise CaptureError when the files hold fewer items than were read: a write had failed."""
        read = sum(segment.items for segment in self._segments.values())
        try:
            written = sum(pq.read_metadata(path).num_rows for path in self._path.glob("*.parquet"))
        except pa.ArrowInvalid:
            written = 0
        if written < read:
            message = f"{self._path} has {written:,} of {read:,} items that were read"
            raise CaptureError(f"{message}; is the disk full? take the snapshot again")

    def _records(self) -> dict[str, FileRecord]:
        """A record of every Parquet file in the folder."""
        return {
            path.name: FileRecord(
                kind=path.name.split(".")[0],
                rows=pq.read_metadata(path).num_rows,
                size=path.stat().st_size,
                sha256=_sha256(path),
            )
            for path in sorted(self._path.glob("*.parquet"))
        }


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        message = f"{path} exists already; name a new folder for the snapshot"
        raise CaptureError(message) from None
    except OSError as error:
        message = f"{path} cannot be made: {error.strerror}; name another folder"
        raise CaptureError(message) from None


def _drop_others(path: Path, manifest: Manifest) -> None:
    """Remove the files that a process which was killed has left beside those of the manifest."""
    for file in path.glob("*.parquet"):
        if file.name not in manifest.files:
            file.unlink()


def _part(name: str) -> int:
    """The number in a file's name `entries.1.parquet`, 0 where it has none."""
    middle = name.split(".")[1:-1]
    return int(middle[0]) if middle and middle[0].isdigit() else 0


def _write_durably(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, even when the machine stops."""
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A private place for a snapshot that is needed only while a verb runs."""
    with TemporaryDirectory(prefix="opskit-") as folder:
        yield Path(folder) / "snapshot"
