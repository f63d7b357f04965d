"""Holding an audit against the truth that the simulator knows."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import permutations
from pathlib import Path

from opskit.audit.explain.classes import FaultClass
from opskit.audit.explain.drift import FaultSet, fault_sets, least_doubted
from opskit.audit.explain.findings import DRIFT_CHECK
from opskit.audit.explain.load import load_accounts
from opskit.audit.explain.rows import AccountBooks
from opskit.audit.explain.search import SearchCutError
from opskit.audit.report import Explanation, Finding, Outcome
from opskit.audit.run import audit_snapshot
from opskit.ledger.books import open_books
from opskit.ledger.counters import Counters
from opskit.read.capture import read_captures
from opskit.sandbox.simulator.history import History

LONGEST = 5
"""Histories with more faults than this are never called rightly explained."""


@dataclass(frozen=True, slots=True)
class Score:
    """How an audit of many histories did; every tuple holds the seeds concerned.

    `missed`: drifted, not found (or found with another drift). `invented`: failed without fault.
    `misread`: no candidate has the true classes. `unlisted`: the classes are right, the true
    entries are not among the candidates.
    """

    histories: int
    drifted: int
    missed: tuple[int, ...]
    invented: tuple[int, ...]
    misread: tuple[int, ...]
    unlisted: tuple[int, ...]
    exact: int

    @property
    def recall(self) -> float:
        """The share of drifted accounts that were found."""
        return 1 - len(self.missed) / self.drifted if self.drifted else 1.0

    @property
    def class_right(self) -> float:
        """The share of drifted accounts whose explanation has the true classes."""
        return 1 - len(self.misread) / self.drifted if self.drifted else 1.0


def audit_histories(histories: Sequence[History], folder: Path, as_of: datetime) -> Score:
    """Audit many histories as the accounts of one books, in a folder that holds nothing yet."""
    snapshot = read_captures([_captured(histories, folder)], folder / "snapshot")
    report = audit_snapshot(snapshot, as_of=as_of)
    failed = [f for f in report.findings if f.outcome is Outcome.FAILED]
    found = {f.account: f for f in failed if f.check == DRIFT_CHECK}
    drifted = [h for h in histories if h.drift != Counters() and not h.in_flight]
    with open_books(snapshot) as books:
        loaded = load_accounts(books, [history.account for history in drifted])
    met = [h for h in drifted if h.account in found and _drift(found[h.account]) == h.drift]
    right = [h for h in met if _classes_right(h, loaded[h.account][0])]
    explained = {h.seed: _explanation(found[h.account]) for h in met}
    return Score(
        histories=len(histories),
        drifted=len(drifted),
        missed=_seeds(h for h in drifted if h not in met),
        invented=_seeds(_invented(histories, failed)),
        misread=_seeds(h for h in drifted if h not in right),
        unlisted=_seeds(h for h in right if h.keys not in explained[h.seed].candidates),
        exact=sum(explained[h.seed].fault_class == h.fault_class for h in met),
    )


def _captured(histories: Iterable[History], folder: Path) -> Path:
    """A capture of every history's items."""
    path = folder / "capture.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for history in histories:
            file.writelines(json.dumps({"Item": item}) + "\n" for item in history.items)
    return path


def _invented(histories: Iterable[History], failed: Iterable[Finding]) -> list[History]:
    """Histories that nothing happened to, or that are not over, of which something failed.

    Of a history with faults only an invented drift counts: what else its faults lead to is found
    by other checks, rightly.
    """
    checks: dict[str, set[str]] = {}
    for finding in failed:
        checks.setdefault(finding.account, set()).add(finding.check)
    return [
        history
        for history in histories
        if (DRIFT_CHECK in checks.get(history.account, ()) and history.drift == Counters())
        or (history.account in checks and (history.in_flight or not history.stormy))
    ]


def _drift(finding: Finding) -> Counters:
    drift = finding.evidence["drift"]
    assert isinstance(drift, Mapping)
    return Counters.of(dict(drift))


def _explanation(finding: Finding) -> Explanation:
    assert finding.explanation is not None
    return finding.explanation


def _classes_right(history: History, books: AccountBooks) -> bool:
    """Whether one of the candidates has exactly the true classes, fault for fault."""
    try:
        candidates = least_doubted(fault_sets(books, history.drift))
    except SearchCutError:
        return False
    truth = [_name(fault.fault_class, len(fault.keys)) for fault in history.injected]
    return len(truth) <= LONGEST and any(_matches(truth, faults) for faults in candidates)


def _matches(truth: Sequence[str], faults: FaultSet) -> bool:
    """Whether each true class is that of one fault, or one said to be consistent with it.

    What is consistent with a posting is a reset of its entry alone.
    """
    named = [{_name(found, 1) for found in (p.fault_class, *p.others)} for p in faults.postings]
    if faults.reset:
        named.append({_name(FaultClass.COUNTERS_RESET, len(faults.reset.keys))})
    return len(truth) == len(named) and any(
        all(true in names for true, names in zip(order, named, strict=True))
        for order in permutations(truth)
    )


def _name(fault_class: str, entries: int) -> str:
    """A class, with a reset of one entry told from one of several."""
    several = fault_class == FaultClass.COUNTERS_RESET and entries > 1
    return f"{fault_class} of several" if several else fault_class


def _seeds(histories: Iterable[History]) -> tuple[int, ...]:
    return tuple(sorted(history.seed for history in histories))
