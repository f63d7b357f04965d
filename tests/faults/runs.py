"""One run: a seed, a fault and a way to read, and the verdict on what came of it."""

import shutil
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from random import Random

from opskit.errors import IncompleteReadError, OpskitError
from opskit.read.manifest import ReadVerdict
from opskit.read.query import snapshot_account
from opskit.read.scan import ScanOptions, resume_table, snapshot_table
from opskit.read.snapshot import Snapshot, open_snapshot, require_complete
from tests.faults.calls import SEGMENTS, Way
from tests.faults.catalogue import Ends, Fault
from tests.faults.injector import Injector
from tests.faults.items import ACCOUNT, Item, table_items
from tests.faults.model import TABLE, ModelTable
from tests.faults.oracle import fault_of, rows_of, set_aside
from tests.faults.patience import VirtualClock, patience_on
from tests.faults.seam import Seam


@dataclass(frozen=True)
class Outcome:
    """What came of a run; `wrong` says why it is a failure, and is empty otherwise."""

    seed: int
    fault: str
    way: Way
    came: str
    wrong: str = ""

    def __str__(self) -> str:
        """The run as it is to be had again."""
        return f"seed {self.seed} x {self.fault} x {self.way}: {self.came}: {self.wrong}"


def model_of(seed: int) -> ModelTable:
    """The table of a seed: its items, size of pages and whether a key comes with the last one."""
    rng = Random(f"table {seed}")
    items = table_items(rng, rng.randint(40, 90))
    return ModelTable(items, page_items=rng.choice((3, 4, 7)), key_on_last=rng.random() < 0.5)


def expected_items(model: ModelTable, way: Way) -> list[Item]:
    """The items a way of reading must bring."""
    return [item for item in model.items if way is not Way.QUERY or item["pk"]["S"] == ACCOUNT]


def read(seam: Seam, way: Way, out: Path, clock: VirtualClock, seed: int = 0) -> Snapshot:
    """Read the table that the seam answers for."""
    patience = patience_on(clock, seed)
    if way is Way.QUERY:
        return snapshot_account(seam.client, TABLE, ACCOUNT, out, patience=patience)
    options = ScanOptions(segments=SEGMENTS[way], workers=8, patience=patience)
    return snapshot_table(seam.client, TABLE, out, options=options)


def run(seam: Seam, seed: int, fault: Fault, way: Way, folder: Path) -> Outcome:
    """Read under a fault and judge what came, resuming what is PARTIAL; the folder is removed."""
    model = model_of(seed)
    injector = Injector(seed, fault, way, model)
    seam.answer = injector.answer
    out = folder / "snapshot"
    try:
        came, wrong = _judged(seam, (seed, way, out), fault, injector)
    except Exception as error:  # noqa: BLE001 - whatever it is, it was not to get here
        came, wrong = "raised", f"{type(error).__name__}: {error}"
    finally:
        shutil.rmtree(out, ignore_errors=True)
    if not injector.hits and not wrong:
        wrong = "the fault never struck"
    return Outcome(seed, fault.name, way, came, wrong or orphans())


def _judged(
    seam: Seam, run_: tuple[int, Way, Path], fault: Fault, injector: Injector
) -> tuple[str, str]:
    """What came, and what is wrong with it."""
    seed, way, out = run_
    model = model_of(seed)
    items = expected_items(model, way)
    try:
        snapshot = read(seam, way, out, injector.clock, seed)
    except OpskitError as error:
        return _refused(type(error).__name__, fault, out)
    conflicts = fault.ends is Ends.CONFLICT
    verdict = snapshot.manifest.verdict
    wrong = fault_of(open_snapshot(out), items, conflicts=conflicts)
    if wrong or verdict is ReadVerdict.COMPLETE:
        return verdict, wrong or _unexpected(snapshot, fault)
    return verdict, _partial(snapshot, fault) or _resumed(seam, model, snapshot)


def _refused(name: str, fault: Fault, out: Path) -> tuple[str, str]:
    if fault.ends is not Ends.REFUSED:
        return name, "it should have ended whole"
    return name, "a folder was left" if out.exists() else ""


def _unexpected(snapshot: Snapshot, fault: Fault) -> str:
    """Why a COMPLETE and right snapshot is not what was to come."""
    if fault.ends is Ends.REFUSED:
        return "it should have been refused"
    if fault.ends is Ends.CONFLICT and not any(map(set_aside, rows_of(snapshot))):
        return "no copy was set aside"
    return ""


def _partial(snapshot: Snapshot, fault: Fault) -> str:
    """What is wrong with a PARTIAL snapshot as such."""
    if fault.ends is not Ends.REFUSED:
        return "it should have ended whole: " + "; ".join(snapshot.manifest.missing)[:200]
    try:
        require_complete(snapshot)
    except IncompleteReadError:
        return "" if snapshot.manifest.missing else "it does not say what is missing"
    return "require_complete let it pass"


def _resumed(seam: Seam, model: ModelTable, snapshot: Snapshot) -> str:
    """What is wrong with the snapshot once it was read on from a sound table."""
    seam.answer = model.answer
    options = ScanOptions(workers=8, patience=patience_on(VirtualClock()))
    resumed = resume_table(seam.client, snapshot.path, options=options)
    if resumed.manifest.verdict is not ReadVerdict.COMPLETE:
        return "resumed, it is not COMPLETE"
    wrong = fault_of(open_snapshot(snapshot.path), model.items)
    return f"resumed: {wrong}" if wrong else ""


def orphans() -> str:
    """The names of the reads' threads that are still alive."""
    alive = [t.name for t in threading.enumerate() if t.name.startswith("opskit-read")]
    return f"threads were left behind: {alive}" if alive else ""


def tell(outcome: Outcome) -> None:
    """Print a failing run."""
    if outcome.wrong:
        print(outcome, file=sys.stderr, flush=True)
