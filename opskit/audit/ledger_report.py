"""The books as an accountant closes them: roll-forward, control accounts, ageing, population."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opskit.audit.check import Check, load_checks
from opskit.audit.confirm import Confirmed
from opskit.audit.control import ControlAccount, control_accounts
from opskit.audit.explain.findings import DRIFT_CHECK
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
    None without an earlier snapshot. `remarks` say how drift was confirmed, one sentence each.
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
    remarks: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether every stored total is the computed one and no earlier period was rewritten.

        What may be a write half done speaks neither for nor against it.
        """
        ties = not any(
            total.gross or total.difference - total.unconfirmed for total in self.control
        )
        return ties and (self.continuity is None or self.continuity.goes_on)

    @property
    def unconfirmed(self) -> int:
        """How many accounts, at the least, may be half way through a write."""
        return max((total.unconfirmed_accounts for total in self.control), default=0)

    @property
    def is_whole(self) -> bool:
        """Whether everything could be judged and confirmed, and the population is proved."""
        undated = self.undated and self.period.is_bounded
        judged = not self.unjudged and not self.unconfirmed and not undated
        return judged and self.population.is_proved

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

    Amounts are aged at the period's end, or at `as_of` where it is open. An account that was
    written to shortly before `as_of` may be half way through a write: its drift is unconfirmed.
    """
    audit = audit_snapshot(snapshot, as_of=as_of, checks=drift_checks())
    judged = Confirmed(audit, snapshot)
    return judged_report(judged, period=period, previous=previous, days=days)


def judged_report(
    judged: Confirmed,
    *,
    period: Period = _EVER,
    previous: Snapshot | None = None,
    days: Sequence[int] = DEFAULT_DAYS,
) -> LedgerReport:
    """The books of a snapshot whose drift was judged already, by `drift_checks`."""
    audit, snapshot = judged.report, judged.snapshot
    with open_books(snapshot) as books:
        books.compute_once("unjudged_accounts")
        books.compute_once("judged_postings")
        return LedgerReport(
            as_of=audit.as_of,
            source=snapshot.manifest.describe(),
            period=period,
            roll_forward=roll_forward(books, period),
            control=control_accounts(audit.control_totals, audit.findings),
            ageing=ageing(books, at=period.end or audit.as_of, period=period, days=days),
            population=population(books),
            unjudged=audit.unjudged,
            undated=undated_entries(books),
            continuity=None if previous is None else _continuity(books, previous, period),
            remarks=audit.remarks,
        )


def drift_checks() -> tuple[Check, ...]:
    """The one check whose findings say where stored and computed part."""
    return tuple(check for check in load_checks() if check.id == DRIFT_CHECK)


def _continuity(books: Books, previous: Snapshot, period: Period) -> Continuity:
    with open_books(previous) as earlier:
        return continuity(books, earlier, period)
