"""A snapshot's manifest: what was read, how, and whether it may be relied on."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self

import msgspec

from opskit.errors import CaptureError

FORMAT = 1
MANIFEST_NAME = "manifest.json"


class ReadVerdict(StrEnum):
    """Whether a read holds everything it was asked for."""

    COMPLETE = "COMPLETE"
    PARTIAL = "PARTIAL"
    UNKNOWN = "UNKNOWN"


class SourceKind(StrEnum):
    """What a snapshot was read from."""

    TABLE = "table"
    CAPTURE = "capture"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a snapshot's items came from.

    For a table: its ARN, id and account; for a capture: the names of its files, each with the
    SHA-256 of its bytes; for an export: those of its manifests, which hold the files' checksums.
    `consistency` is `strong`, `eventual` or `` (a file). `as_of` is the instant of an export.
    """

    kind: SourceKind
    name: str
    arn: str = ""
    table_id: str = ""
    account: str = ""
    consistency: str = ""
    partition: str = ""
    as_of: str = ""
    inputs: dict[str, str] = field(default_factory=dict)


Key = dict[str, dict[str, str]]
"""The key of an item as DynamoDB JSON."""


@dataclass(frozen=True, slots=True)
class SegmentRead:
    """What one segment of a scan, one account or one file of a capture gave.

    Reading it on begins after the key `resume`, at its start where there is none. `unchecked` of
    its pages came over the network without a checksum.
    """

    pages: int
    items: int
    resume: Key | None = None
    done: bool = True
    unchecked: int = 0


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One Parquet file: its kind of item, rows, bytes and SHA-256."""

    kind: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot holds and how far it may be relied on.

    Times are ISO 8601 UTC. `missing` says in words what a read that is not COMPLETE lacks;
    `repeated` counts identical copies of a key that were read more than once and kept once.
    """

    verdict: ReadVerdict
    source: Source
    started: str
    ended: str
    items: int
    files: dict[str, FileRecord]
    segments: dict[str, SegmentRead]
    repeated: int = 0
    capacity_units: str = ""
    missing: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    def to_json(self) -> bytes:
        """The manifest as indented JSON with a stable order of keys."""
        return msgspec.json.format(msgspec.json.encode(self, order="sorted"), indent=2) + b"\n"

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The manifest of a snapshot's folder; CaptureError when there is none or it is not one."""
        path = folder / MANIFEST_NAME
        try:
            manifest = msgspec.json.decode(path.read_bytes(), type=cls)
        except OSError as error:
            message = f"{folder} is not a snapshot: {MANIFEST_NAME}: {error.strerror}"
            raise CaptureError(message) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            message = f"{path} is not a snapshot's manifest ({error}); take the snapshot again"
            raise CaptureError(message) from None
        if manifest.format != FORMAT:
            message = f"{path} has format {manifest.format}, this opskit reads {FORMAT}"
            raise CaptureError(message)
        return manifest

    @property
    def unchecked_pages(self) -> int:
        """How many pages came without a checksum: altered on the way they would not be known."""
        return sum(segment.unchecked for segment in self.segments.values())

    def _unchecked(self) -> str:
        pages = self.unchecked_pages
        return f", {pages:,} of its pages without a checksum" if pages else ""

    def describe(self) -> str:
        """The source in words, for the head of a report."""
        if self.source.kind is SourceKind.TABLE:
            place = self.source.arn or self.source.name
            read = f"table {place}, {self.source.consistency} reads, ended {self.ended}"
            return read + self._unchecked()
        instant = f", as of {self.source.as_of}" if self.source.as_of else ""
        return f"{self.source.kind} {self.source.name}{instant}"
