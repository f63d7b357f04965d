"""An export of ledger items read into a snapshot: `python -m tests.bench.exporting [ITEMS]`.

Start-up (new processes, their imports) is measured by itself with an export of one item a worker.
Reading covers everything from the first manifest to the snapshot's own, key uniqueness included.
"""

import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from opskit.read.export import crew, locate_export, read_export
from opskit.read.export.crew import usable_processors
from tests.bench.books import ledger_items
from tests.exports import ExportFolder, new_export

FILES = 16
RUNS = 5


def ledger_export(base: Path, items: int) -> ExportFolder:
    """A sealed full export of so many ledger items in files of about equal size."""
    export = new_export(base)
    made = ledger_items(items)
    for number in range(FILES):
        share = items * (number + 1) // FILES - items * number // FILES
        lines = [b'{"Item":' + next(made) + b"}\n" for _ in range(share)]
        export.add(f"part{number:04d}.json.gz", lines)
    return export.seal()


def processor_seconds() -> float:
    """What this process and those it waited for have used of the processor."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def seconds(export: ExportFolder, workers: int) -> tuple[float, float]:
    """How long one read takes by the clock and of the processor; its snapshot is thrown away."""
    place = locate_export(str(export.root))
    with TemporaryDirectory() as folder:
        began, used = time.perf_counter(), processor_seconds()
        snapshot = read_export(place, Path(folder) / "snapshot", workers=workers)
        took = time.perf_counter() - began, processor_seconds() - used
    assert snapshot.manifest.items == export.summary["itemCount"]
    return took


def median(measure: Callable[[], tuple[float, float]]) -> tuple[float, float]:
    """The medians of RUNS measurements."""
    clock, processor = zip(*(measure() for _ in range(RUNS)), strict=True)
    return statistics.median(clock), statistics.median(processor)


def main() -> None:
    """Print the table."""
    items = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    workers = usable_processors()
    with TemporaryDirectory() as folder:
        export = ledger_export(Path(folder) / "export", items)
        small = ledger_export(Path(folder) / "small", FILES)
        size = sum(path.stat().st_size for path in export.data.iterdir())
        with patch.object(crew, "SMALL", 0):  # processes even for so little
            start = median(lambda: seconds(small, workers))
        took = median(lambda: seconds(export, workers))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rate = items / max(took[0] - start[0], 0.001)
    each = (took[1] - start[1]) / items * 1e6
    print("| items | gzip | workers | start-up | read | after start-up | processor | peak, own |")
    print("|---|---|---|---|---|---|---|---|")
    print(
        f"| {items:,} | {size / 1e6:.0f} MB | {workers} | {start[0]:.2f} s | {took[0]:.2f} s "
        f"| {rate:,.0f} items/s | {each:.1f} us an item | {peak:.0f} MB, {own:.0f} MB |"
    )


if __name__ == "__main__":
    main()
