"""A live billing table read whole into a snapshot, in segments side by side.

Every attribute is read: a projection would save bytes but no read unit, and an item that no rule
of the contract names could not be kept whole. An index is never read. A scan is not a snapshot of
one moment: while writers are at work, each item is as it was when its page was read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from math import ceil, isfinite
from pathlib import Path
from typing import Any

from opskit.aws import service_error
from opskit.errors import InputError, OpskitError, ReadError
from opskit.read.crew import Failures, work_through
from opskit.read.gate import Gate
from opskit.read.manifest import Manifest, ReadVerdict, SegmentRead, Source, SourceKind
from opskit.read.pages import Reading, read_pages
from opskit.read.patience import Patience, Trouble, trouble_of
from opskit.read.progress import Meter, Progress, say_nothing
from opskit.read.query import account_pages, snapshot_account
from opskit.read.snapshot import Snapshot, SnapshotWriter, open_snapshot
from opskit.read.table import TableIdentity, require_same, table_identity

__all__ = [
    "ScanOptions",
    "TableIdentity",
    "account_pages",
    "resume_table",
    "snapshot_account",
    "snapshot_table",
    "table_identity",
]

MAX_SEGMENTS = 1_000_000
_SEGMENT_BYTES = 64 * 1024 * 1024
_MOST_WORKERS = 8
_LARGE = 64 * 1024 * 1024
_UNIT_BYTES = 4096
_MILLION_UNITS_USD = 0.125
"""On-demand list price of us-east-1 since November 2024 (aws.amazon.com/dynamodb/pricing)."""


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """How a table is scanned; `segments` and `workers` follow the table's size where not given.

    A `strict` scan refuses pages without a checksum, which something between here and AWS may take
    away; otherwise the manifest counts them.
    """

    segments: int | None = None
    workers: int | None = None
    strong: bool = True
    strict: bool = False
    read_units: float | None = None
    patience: Patience = field(default_factory=Patience)

    def __post_init__(self) -> None:
        _require_count("segments", self.segments, MAX_SEGMENTS)
        _require_count("workers", self.workers, 256)
        if self.read_units is not None and not (isfinite(self.read_units) and self.read_units > 0):
            message = f"read_units is {self.read_units:g}"
            raise InputError(f"{message}; give a number of read units a second above 0")

    def segments_of(self, table: TableIdentity) -> int:
        """The number of segments: as given, or one for every 64 MB up to 64."""
        return self.segments or max(1, min(64, ceil(table.size / _SEGMENT_BYTES)))

    def workers_of(self, segments: int) -> int:
        """The number of threads: as given, or one for each segment up to 8."""
        return min(self.workers or _MOST_WORKERS, segments)


def _require_count(name: str, value: object, most: int) -> None:
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise InputError(f"{name} is {value!r}; give a whole number from 1 to {most:,}")


def snapshot_table(
    client: Any,
    name: str,
    out: Path,
    *,
    options: ScanOptions | None = None,
    progress: Progress = say_nothing,
) -> Snapshot:
    """Read a whole table into a new snapshot's folder.

    The snapshot is PARTIAL when a segment could not be read to its end, with the key to go on from
    (see `resume_table`). Raises and leaves no folder when nothing could be read, or when the table
    was replaced meanwhile. An interrupt leaves a PARTIAL snapshot and passes on.
    """
    options = options or ScanOptions()
    table = table_identity(client, name)
    with SnapshotWriter(out) as writer:
        for number in range(options.segments_of(table)):
            writer.begin(str(number))
        return _Scan(client, table, writer, options).run(progress)


def resume_table(
    client: Any,
    folder: Path,
    *,
    options: ScanOptions | None = None,
    progress: Progress = say_nothing,
) -> Snapshot:
    """Read on where a PARTIAL snapshot of a table ended; its segments and consistency stay."""
    manifest = open_snapshot(folder).manifest
    source = manifest.source
    if source.kind is not SourceKind.TABLE or source.partition:
        raise InputError(f"{folder} is not a table's snapshot; only a scan can be resumed")
    if manifest.verdict is ReadVerdict.COMPLETE:
        raise InputError(f"{folder} is COMPLETE already; there is nothing to resume")
    table = table_identity(client, source.name)
    if (table.arn, table.table_id) != (source.arn, source.table_id):
        message = f"table {source.name} is not the one {folder} was read from"
        raise InputError(f"{message}; take a new snapshot")
    options = replace(options or ScanOptions(), strong=source.consistency == "strong")
    with SnapshotWriter(folder, continued=manifest) as writer:
        return _Scan(client, table, writer, options, manifest).run(progress)


@dataclass(slots=True)
class _Scan:
    """One scan under way."""

    client: Any
    table: TableIdentity
    writer: SnapshotWriter
    options: ScanOptions
    before: Manifest | None = None

    def run(self, progress: Progress) -> Snapshot:
        """Read every segment that is not done, and finish the snapshot with its verdict."""
        started = datetime.now(UTC)
        segments = self.writer.segments
        todo = [name for name, segment in segments.items() if not segment.done]
        workers = self.options.workers_of(len(todo) or 1)
        gate = Gate(workers, self.options.read_units)
        options = self.options
        reading = Reading(self.table.layout, options.patience, gate, options.strict)
        meter = Meter(self.table.name, progress, self.table.items)
        _tell_cost(self.table, self.options, progress)

        def work(segment: str) -> None:
            self._read(segment, len(segments), reading, meter)

        try:
            failures = work_through(todo, work, workers=workers, patience=self.options.patience)
        except BaseException:
            self._finish(started, gate, {}, "the read was interrupted")
            raise
        self._refuse_nothing(failures)
        snapshot = self._finish(started, gate, failures, "stopped with the others")
        progress(meter.line())
        return snapshot

    def _read(self, segment: str, total: int, reading: Reading, meter: Meter) -> None:
        """Read one segment from where it is to its end."""
        request: dict[str, Any] = {
            "TableName": self.table.name,
            "ConsistentRead": self.options.strong,
        }
        if total > 1:
            request |= {"Segment": int(segment), "TotalSegments": total}
        begun = self.writer.begin(segment)
        for page in read_pages(self.client.scan, request, reading, start=begun.resume):
            items = self.writer.write(
                segment, page.batches, resume=page.after, checked=page.checked
            )
            meter.add(items)

    def _refuse_nothing(self, failures: Failures) -> None:
        """Raise the reason when not one page could be read."""
        if failures and not any(segment.pages for segment in self.writer.segments.values()):
            final = [e for e in failures.values() if trouble_of(e) is Trouble.FINAL]
            raise _named(next(iter([*final, *failures.values()]))) from None

    def _finish(
        self, started: datetime, gate: Gate, failures: Failures, otherwise: str
    ) -> Snapshot:
        """Write the manifest: COMPLETE when every segment is done and the table still the same."""
        missing = _missing(self.writer.segments, failures, otherwise)
        if not missing:
            require_same(self.table, table_identity(self.client, self.table.name))
        before = self.before
        spent = gate.spent + (Decimal(before.capacity_units or 0) if before else 0)
        return self.writer.finish(
            _source(self.table, self.options),
            started=datetime.fromisoformat(before.started) if before else started,
            ended=datetime.now(UTC),
            capacity_units=str(spent),
            missing=missing,
        )


def _missing(
    segments: Mapping[str, SegmentRead], failures: Failures, otherwise: str
) -> tuple[str, ...]:
    """What is missing, segment by segment."""
    return tuple(
        f"segment {int(name) + 1} of {len(segments)} after {segment.pages} pages: "
        + (str(_named(failures[name])) if name in failures else otherwise)
        for name, segment in segments.items()
        if not segment.done
    )


def _named(error: Exception) -> OpskitError:
    return error if isinstance(error, ReadError) else service_error(error)


def _source(table: TableIdentity, options: ScanOptions) -> Source:
    return Source(
        kind=SourceKind.TABLE,
        name=table.name,
        arn=table.arn,
        table_id=table.table_id,
        account=table.account,
        consistency="strong" if options.strong else "eventual",
    )


def _tell_cost(table: TableIdentity, options: ScanOptions, progress: Progress) -> None:
    """Say what a large scan costs before it begins."""
    if table.size < _LARGE:
        return
    units = ceil(table.size / _UNIT_BYTES) / (1 if options.strong else 2)
    limit = f", at most {options.read_units:g} a second" if options.read_units else ""
    price = units / 1e6 * _MILLION_UNITS_USD
    progress(
        f"{table.name}: about {units:,.0f} read units{limit}, on demand {price:,.2f} USD at "
        f"{_MILLION_UNITS_USD} a million; by a size of {table.size:,} bytes up to 6 hours old"
    )
