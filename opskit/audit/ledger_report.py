"""The books as an accountant closes them: roll-forward, control accounts, ageing, population."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opskit.audit.check import load_checks
from opskit.audit.control import ControlAccount, control_accounts
from opskit.audit.explain.findings import DRIFT_CHECK
from opskit.audit.report import AuditReport
from opskit.audit.run import audit_snapshot
from opskit.errors import EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE
from opskit.ledger.ageing import DEFAULT_DAYS, Ageing, ageing
from opskit.ledger.books import Books, open_books
from opskit.ledger.continuity import Continuity, continuity
from opskit.ledger.period import Period
from opskit.ledger.population import Population, population
from opskit.ledger.rollforward import RollForward, roll_forward, undated_entries
from opskit.read.snapshot import Snapshot

_EVER = Period()


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """The books of a snapshot over a period.

    `unjudged` names the accounts that no total holds; `undated` counts entries of the others
    whose time cannot be read, which a bounded period counts before its start. `continuity` is
    None without an earlier snapshot.
    """

    as_of: datetime
    source: str
    period: Period
    roll_forward: tuple[RollForward, ...]
    control: tuple[ControlAccount, ...]
    ageing: Ageing
    population: Population
    unjudged: tuple[str, ...]
    undated: int
    continuity: Continuity | None

    @property
    def agrees(self) -> bool:
        """Whether every stored total is the computed one and no earlier period was rewritten."""
        ties = not any(total.gross or total.difference for total in self.control)
        return ties and (self.continuity is None or self.continuity.goes_on)

    @property
    def is_whole(self) -> bool:
        """Whether everything could be judged and the population is proved."""
        undated = self.undated and self.period.is_bounded
        return not self.unjudged and not undated and self.population.is_proved

    @property
    def exit_code(self) -> int:
        """The exit status a shell sees: in step, different, or not all of it judged."""
        if not self.agrees:
            return EXIT_FINDINGS
        return EXIT_CLEAN if self.is_whole else EXIT_INCOMPLETE


def ledger_report(
    snapshot: Snapshot,
    *,
    as_of: datetime,
    period: Period = _EVER,
    previous: Snapshot | None = None,
    days: Sequence[int] = DEFAULT_DAYS,
) -> LedgerReport:
    """The books of a complete snapshot; `previous` is an earlier one of the same books.

    Amounts are aged at the period's end, or at `as_of` where it is open.
    """
    audit = _drift_audit(snapshot, as_of)
    with open_books(snapshot) as books:
        books.compute_once("unjudged_accounts")
        books.compute_once("judged_postings")
        return LedgerReport(
            as_of=as_of,
            source=snapshot.manifest.describe(),
            period=period,
            roll_forward=roll_forward(books, period),
            control=control_accounts(audit.control_totals, audit.findings),
            ageing=ageing(books, at=period.end or as_of, period=period, days=days),
            population=population(books),
            unjudged=audit.unjudged,
            undated=undated_entries(books),
            continuity=None if previous is None else _continuity(books, previous, period),
        )


def _drift_audit(snapshot: Snapshot, as_of: datetime) -> AuditReport:
    """The audit of the one check whose findings say where stored and computed part."""
    checks = [check for check in load_checks() if check.id == DRIFT_CHECK]
    return audit_snapshot(snapshot, as_of=as_of, checks=checks)


def _continuity(books: Books, previous: Snapshot, period: Period) -> Continuity:
    with open_books(previous) as earlier:
        return continuity(books, earlier, period)
