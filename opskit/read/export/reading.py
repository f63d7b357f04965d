"""An export read whole into a snapshot, or refused with nothing left behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heapify, heapreplace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from opskit.aws import access_error
from opskit.errors import IncompleteReadError, InputError, ReadError
from opskit.read.export.crew import read_shares, usable_processors
from opskit.read.export.faults import ExportFault, faulty
from opskit.read.export.files import FileRead, Share
from opskit.read.export.increments import merge_increments, require_chain
from opskit.read.export.keys import require_unique
from opskit.read.export.place import Place
from opskit.read.export.store import Store
from opskit.read.export.summary import DataFile, Export, read_manifests
from opskit.read.manifest import SegmentRead, Source, SourceKind
from opskit.read.patience import SDK_ERRORS
from opskit.read.progress import Meter, Progress, say_nothing
from opskit.read.snapshot import Snapshot, SnapshotWriter
from opskit.tables.items import KindName

_SHARES_A_WORKER = 4
MAX_WORKERS = 64


@dataclass(frozen=True, slots=True)
class _Found:
    """An export whose manifests were checked, and the store it lies in."""

    place: Place
    store: Store
    export: Export

    @property
    def name(self) -> str:
        return self.store.shown(self.place.folder)


def read_export(
    place: Place,
    out: Path,
    *,
    increments: Sequence[Place] = (),
    client: Any = None,
    workers: int | None = None,
    progress: Progress = say_nothing,
) -> Snapshot:
    """Read a full export, and increments on it in their order, into a new snapshot's folder.

    The snapshot is the table as of the export's instant, or the end of the last increment. With a
    client of DynamoDB its counts are compared with DescribeExport's. Raises ExportError, or
    IncompleteReadError for an export that has not ended, and leaves no folder.
    """
    workers = _workers(workers)
    started = datetime.now(UTC)
    found = [_find(one) for one in (place, *increments)]
    require_chain([(one.name, one.export) for one in found])
    for one in found:
        _compare_with_service(one, client, progress)
    with SnapshotWriter(out, unique=True) as writer:
        for segment, items in _decode(found, out, workers, progress).items():
            writer.record(segment, SegmentRead(1, items))
        return writer.finish(_source(found), started=started, ended=datetime.now(UTC))


def _decode(
    found: Sequence[_Found], out: Path, workers: int, progress: Progress
) -> Mapping[str, int]:
    """Write the items to `out`; how many each data file gave, or with increments each export."""
    stages = [out if len(found) == 1 else out / f"stage-{n}" for n in range(len(found))]
    layouts: frozenset[str] = frozenset()
    reads: list[FileRead] = []
    for one, stage in zip(found, stages, strict=True):
        reads = _read(one, stage, workers, progress)
        layouts = _require_one_layout(one, layouts, reads)
    if len(found) == 1:
        return {read.name: read.lines for read in reads}
    given = merge_increments(stages, out)
    return {one.export.id: items for one, items in zip(found, given, strict=True)}


def _workers(workers: int | None) -> int:
    if workers is None:
        return usable_processors()
    if isinstance(workers, bool) or not 1 <= workers <= MAX_WORKERS:
        raise InputError(f"workers is {workers!r}; give a whole number from 1 to {MAX_WORKERS}")
    return workers


def _find(place: Place) -> _Found:
    store = place.address.connect()
    return _Found(place, store, read_manifests(place.address, store, place.folder))


def _read(found: _Found, stage: Path, workers: int, progress: Progress) -> list[FileRead]:
    """Decode every data file of one export into a folder, and find its keys unique."""
    stage.mkdir(mode=0o700, exist_ok=True)
    export = found.export
    meter = Meter(export.id, progress, export.items)
    reads: list[FileRead] = []
    for some in read_shares(_shares(found, stage, workers), workers):
        reads += some
        meter.add(sum(read.lines for read in some))
    missing = {file.name for file in export.files} - {read.name for read in reads}
    if missing:
        raise IncompleteReadError(f"{found.name}: {len(missing)} files were not read; run it again")
    _require_written(stage, reads)
    require_unique(stage, reads, found.store)
    return reads


def _require_written(stage: Path, reads: Sequence[FileRead]) -> None:
    """Raise ReadError when a folder does not hold every item that was decoded into it."""
    decoded = sum(sum(read.rows.values()) for read in reads)
    paths = [path for kind in KindName for path in stage.glob(f"{kind}.*.parquet")]
    written = sum(int(pq.read_metadata(path).num_rows) for path in paths)
    if written != decoded:
        message = f"{stage} holds {written:,} of {decoded:,} items that were decoded"
        raise ReadError(f"{message}; is the disk full? read the export again")


def _shares(found: _Found, stage: Path, workers: int) -> list[Share]:
    """The files dealt into shares of about equal size, the largest first; empty ones too."""
    files = sorted(found.export.files, key=lambda file: (-file.size, file.name))
    count = max(1, min(len(files), workers * _SHARES_A_WORKER))
    dealt: list[list[DataFile]] = [[] for _ in range(count)]
    loads = [(0, number) for number in range(count)]
    heapify(loads)
    for file in files:
        load, number = loads[0]
        dealt[number].append(file)
        heapreplace(loads, (load + file.size + 1, number))
    return [
        Share(found.place.address, tuple(some), stage, part, found.export.incremental)
        for part, some in enumerate(dealt, 1)
        if some
    ]


def _require_one_layout(
    found: _Found, before: frozenset[str], reads: Sequence[FileRead]
) -> frozenset[str]:
    """The layouts met; ExportError at the first file whose items' keys are of another one."""
    known = set(before)
    for read in reads:
        known |= read.layouts
        if len(known) > 1:
            detail = "its items have other key attributes than those before"
            raise faulty(ExportFault.KEY_MISSING, found.store.shown(read.name), detail)
    return frozenset(known)


def _compare_with_service(found: _Found, client: Any, progress: Progress) -> None:
    """Compare the count with what DynamoDB says of the export, where it can be asked."""
    if client is None:
        return
    try:
        told = client.describe_export(ExportArn=found.export.arn)["ExportDescription"]
    except SDK_ERRORS as error:
        reason = access_error(error) or getattr(error, "response", {}).get("Error", {}).get("Code")
        progress(f"{found.name}: not compared with DescribeExport: {reason or error}")
        return
    _require_described(found, told)


def _require_described(found: _Found, told: Mapping[str, Any]) -> None:
    """Raise unless DescribeExport says COMPLETED, the same count, and no filter."""
    status = told.get("ExportStatus")
    if status != "COMPLETED":
        message = f"{found.name}: DescribeExport says {status}; the export is UNKNOWN"
        raise IncompleteReadError(f"{message}, wait for it or export again")
    if told.get("FilterSpecification"):
        raise faulty(ExportFault.FILTERED, found.name)
    count = told.get("ItemCount")
    if count is not None and count != found.export.items:
        detail = f"{found.export.items:,} against {count:,}"
        raise faulty(ExportFault.COUNT_SERVICE, found.name, detail)


def _source(found: Sequence[_Found]) -> Source:
    base, last = found[0].export, found[-1].export
    arn = base.table_arn.split(":")
    return Source(
        kind=SourceKind.EXPORT,
        name=" + ".join(one.name for one in found),
        arn=base.table_arn,
        table_id=base.table_id,
        account=arn[4] if len(arn) > 4 else "",
        as_of=last.until.isoformat(),
        inputs={
            f"{one.export.id}/{name}": digest
            for one in found
            for name, digest in one.export.digests.items()
        },
    )
