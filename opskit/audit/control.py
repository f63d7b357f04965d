"""The control accounts: stored totals beside computed ones, the difference explained or not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opskit.audit.explain import FaultClass
from opskit.audit.explain.findings import DRIFT_CHECK
from opskit.audit.report import ControlTotal, Finding, Outcome
from opskit.tables.items import COUNTERS


@dataclass(frozen=True, slots=True)
class ClassTotal:
    """What the accounts with one class of explanation add to a difference."""

    fault_class: str
    accounts: int
    amount: int


@dataclass(frozen=True, slots=True)
class ControlAccount:
    """One counter of one currency over every judged account, in minor units.

    `by_class` splits the difference by the explanation of each account's drift; what may be a
    write half done is UNCONFIRMED there. `accounts` drifted otherwise, and `gross` is the sum of
    their absolute drifts, which no netting between accounts makes small.
    """

    currency: str
    counter: str
    stored: int
    computed: int
    accounts: int
    gross: int
    by_class: tuple[ClassTotal, ...]

    @property
    def difference(self) -> int:
        """Stored less computed."""
        return self.stored - self.computed

    @property
    def explained(self) -> int:
        """The part of the difference that named postings account for."""
        open_ = (_UNKNOWN, UNCONFIRMED)
        return sum(part.amount for part in self.by_class if part.fault_class not in open_)

    @property
    def unconfirmed(self) -> int:
        """The part of accounts that may be half way through a write."""
        return sum(part.amount for part in self.by_class if part.fault_class == UNCONFIRMED)

    @property
    def unconfirmed_accounts(self) -> int:
        """How many accounts may be half way through a write."""
        return sum(part.accounts for part in self.by_class if part.fault_class == UNCONFIRMED)

    @property
    def unexplained(self) -> int:
        """The part that nothing accounts for."""
        return self.difference - self.explained - self.unconfirmed


UNCONFIRMED = "unconfirmed"
"""The class of a drift in an account that was written to lately, or would not lie still."""

_UNKNOWN = FaultClass.UNEXPLAINED.value
_HELD = (Outcome.FAILED, Outcome.INCONCLUSIVE)


def control_accounts(
    totals: Iterable[ControlTotal], findings: Iterable[Finding]
) -> tuple[ControlAccount, ...]:
    """Each control total with its difference split by what the findings of drift explain."""
    drifts = _drifts(findings)
    return tuple(
        _control(total, drifts.get((total.currency.upper(), total.counter), ())) for total in totals
    )


_Drifts = Mapping[tuple[str, str], list[tuple[str, int]]]


def _drifts(findings: Iterable[Finding]) -> _Drifts:
    """The fault class and drift of every account that drifted, by currency and counter."""
    found: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for finding in findings:
        drift = finding.evidence.get("drift")
        if finding.check != DRIFT_CHECK or not isinstance(drift, Mapping):
            continue
        if finding.outcome not in _HELD:  # gone when read again: the totals no longer hold it
            continue
        cause = finding.explanation.fault_class if finding.explanation else _UNKNOWN
        if finding.outcome is Outcome.INCONCLUSIVE:
            cause = UNCONFIRMED
        currency = str(finding.evidence.get("currency") or "").upper()
        for counter in COUNTERS:
            if drift.get(counter):
                found.setdefault((currency, counter), []).append((cause, int(drift[counter])))
    return found


def _control(total: ControlTotal, drifts: Iterable[tuple[str, int]]) -> ControlAccount:
    given = list(drifts)
    classes = sorted({cause for cause, _ in given})
    parts = {cause: [amount for one, amount in given if one == cause] for cause in classes}
    confirmed = [amount for cause, amount in given if cause != UNCONFIRMED]
    return ControlAccount(
        currency=total.currency,
        counter=total.counter,
        stored=total.stored,
        computed=total.computed,
        accounts=len(confirmed),
        gross=sum(map(abs, confirmed)),
        by_class=tuple(ClassTotal(one, len(parts[one]), sum(parts[one])) for one in classes),
    )
