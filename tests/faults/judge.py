"""The verdict on one read under a fault: right, refused with a reason, or a failure."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opskit.errors import IncompleteReadError, OpskitError
from opskit.read.manifest import ReadVerdict
from opskit.read.patience import Patience
from opskit.read.query import snapshot_account
from opskit.read.scan import ScanOptions, resume_table, snapshot_table
from opskit.read.snapshot import Snapshot, open_snapshot, require_complete
from tests.faults.calls import SEGMENTS, Way
from tests.faults.catalogue import Ends
from tests.faults.items import ACCOUNT, Item
from tests.faults.model import TABLE, ModelTable
from tests.faults.oracle import fault_of, rows_of, set_aside
from tests.faults.patience import VirtualClock, patience_on

Judged = tuple[str, str]
"""What came of a read, and what is wrong with it: "" when nothing is."""


@dataclass(frozen=True)
class Trial:
    """One read to be made and judged; `heal` makes the table sound before it is resumed."""

    client: Any
    way: Way
    model: ModelTable
    out: Path
    patience: Patience
    ends: Ends
    heal: Callable[[], object]
    resumes: bool = True

    @property
    def items(self) -> Sequence[Item]:
        """The items this way of reading must bring."""
        account = {"S": ACCOUNT}
        return [i for i in self.model.items if self.way is not Way.QUERY or i["pk"] == account]

    def read(self) -> Snapshot:
        """Read the table."""
        if self.way is Way.QUERY:
            return snapshot_account(self.client, TABLE, ACCOUNT, self.out, patience=self.patience)
        options = ScanOptions(segments=SEGMENTS[self.way], workers=8, patience=self.patience)
        return snapshot_table(self.client, TABLE, self.out, options=options)

    def judged(self) -> Judged:
        """What came of reading; a PARTIAL snapshot is read on once the table is sound."""
        try:
            snapshot = self.read()
        except OpskitError as error:
            return self._raised(error)
        except Exception as error:  # whatever else it is, it is a failure
            return "raised", f"{type(error).__name__}: {error}"
        verdict = snapshot.manifest.verdict
        wrong = fault_of(open_snapshot(self.out), self.items, conflicts=self.ends is Ends.CONFLICT)
        if wrong or verdict is ReadVerdict.COMPLETE:
            return verdict, wrong or self._whole(snapshot) or orphans()
        wrong = self._partial(snapshot)
        return verdict, wrong or (self._resumed() if self.resumes else "") or orphans()

    def _raised(self, error: OpskitError) -> Judged:
        name = type(error).__name__
        if self.ends is not Ends.REFUSED:
            return name, f"it should have ended whole: {error}"
        return name, "a folder was left" if self.out.exists() else orphans()

    def _whole(self, snapshot: Snapshot) -> str:
        """Why a COMPLETE and right snapshot is not what was to come."""
        if self.ends is Ends.REFUSED:
            return "it should have been refused"
        if self.ends is Ends.CONFLICT and not any(map(set_aside, rows_of(snapshot))):
            return "no copy was set aside"
        return ""

    def _partial(self, snapshot: Snapshot) -> str:
        """What is wrong with a PARTIAL snapshot as such."""
        if self.ends is not Ends.REFUSED:
            return "it should have ended whole: " + "; ".join(snapshot.manifest.missing)[:200]
        try:
            require_complete(snapshot)
        except IncompleteReadError:
            return "" if snapshot.manifest.missing else "it does not say what is missing"
        return "require_complete let it pass"

    def _resumed(self) -> str:
        """What is wrong with the snapshot once it was read on from a sound table."""
        self.heal()
        options = ScanOptions(workers=8, patience=patience_on(VirtualClock()))
        resumed = resume_table(self.client, self.out, options=options)
        if resumed.manifest.verdict is not ReadVerdict.COMPLETE:
            return "resumed, it is not COMPLETE"
        wrong = fault_of(open_snapshot(self.out), self.model.items)
        return f"resumed: {wrong}" if wrong else ""


def orphans() -> str:
    """The reads' threads that do not end, though their work has."""
    threads = [t for t in threading.enumerate() if t.name.startswith("opskit-read")]
    for thread in threads:
        thread.join(1)
    alive = [thread.name for thread in threads if thread.is_alive()]
    return f"threads were left behind: {alive}" if alive else ""
