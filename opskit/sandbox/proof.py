"""Whether an audit found exactly what was planted."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from opskit.audit.report import AuditReport, Finding, Outcome
from opskit.sandbox.faults import PlantedFault

Mark = tuple[str, str, str, str]
"""What a finding and a planted fault must share: check, account, key, and a drift's amounts."""


NO_FAULT = frozenset({Outcome.NOTED, Outcome.TRANSIENT})
"""How a finding ends that is worth a look and says nothing is wrong: it is not counted."""


@dataclass(frozen=True, slots=True)
class Tally:
    """One check: how many were planted and found, and what is on one side only."""

    check: str
    planted: int
    found: int
    missed: tuple[Mark, ...]
    unexpected: tuple[Mark, ...]

    @property
    def equal(self) -> bool:
        """Whether found and planted are the same set."""
        return not self.missed and not self.unexpected


def tallies(planted: Iterable[PlantedFault], report: AuditReport) -> tuple[Tally, ...]:
    """Planted beside found for every check that ran, or that was planted for and did not run."""
    wanted = Counter(_mark(fault) for fault in planted)
    found = Counter(
        _mark(finding) for finding in report.findings if finding.outcome not in NO_FAULT
    )
    names = {result.id for result in report.results} | {mark[0] for mark in wanted}
    return tuple(_tally(name, wanted, found) for name in sorted(names))


def _tally(check: str, wanted: Counter[Mark], found: Counter[Mark]) -> Tally:
    here = Counter({mark: count for mark, count in wanted.items() if mark[0] == check})
    there = Counter({mark: count for mark, count in found.items() if mark[0] == check})
    missed, unexpected = sorted((here - there).elements()), sorted((there - here).elements())
    return Tally(check, here.total(), there.total(), tuple(missed), tuple(unexpected))


def _mark(fact: PlantedFault | Finding) -> Mark:
    drift = fact.evidence.get("drift")
    amounts = str(sorted(drift.items())) if isinstance(drift, dict) else ""
    return fact.check, fact.account, fact.key, amounts
