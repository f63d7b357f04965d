"""A repair plan: conditional updates of counters that a person may run, and what has none and why.

Nothing here is ever executed. Each update sets the four counters to what the entries add up to,
and only while BALANCE still is exactly as it was audited.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opskit.audit.explain.classes import FaultClass
from opskit.audit.explain.wording import OR, SPELLED_OUT
from opskit.audit.report import AuditReport, Explanation, Finding, Outcome, Severity
from opskit.ledger.books import Books, Row
from opskit.ledger.counters import Counters
from opskit.tables.items import COUNTERS, Layout

DRIFT_CHECK = "balances.stored_equals_entries"

COUNTERS_ARE_WRONG = frozenset(FaultClass) - {
    FaultClass.STATE_NOT_RECORDED,
    FaultClass.SEVERAL,
    FaultClass.UNEXPLAINED,
}
"""The classes in which the entries are right and the counters are to follow them."""

_OF_THE_COUNTERS = "balances."
_OF_ALL_ENTRIES = ("entries.", "duplicates.", "currencies.", "history.", "links.payment_entry")
"""Checks whose findings leave it open what the account's entries should add up to."""

_GRAVE = frozenset({Severity.CRITICAL, Severity.HIGH})


@dataclass(frozen=True, slots=True)
class Repair:
    """One BALANCE to be set from its stored counters to the computed ones."""

    table: str
    layout: Layout
    account: str
    currency: str
    stored: Counters
    computed: Counters
    updated_at: int | None
    why: str

    def request(self) -> dict[str, object]:
        """The UpdateItem request, as `aws dynamodb update-item --cli-input-json` takes it."""
        named = {f"#{name}": f"{name}_cents" for name in COUNTERS}
        stored = dict(zip(COUNTERS, self.stored.values(), strict=True))
        computed = dict(zip(COUNTERS, self.computed.values(), strict=True))
        values = {f":old_{name}": {"N": str(value)} for name, value in stored.items()}
        values |= {f":new_{name}": {"N": str(value)} for name, value in computed.items()}
        conditions = [f"#{name} = :old_{name}" for name in COUNTERS]
        if self.updated_at is None:
            conditions.append("attribute_not_exists(#updated_at)")
        else:
            conditions.append("#updated_at = :old_updated_at")
            values[":old_updated_at"] = {"N": str(self.updated_at)}
        return {
            "TableName": self.table,
            "Key": {self.layout.value: {"S": self.account}, "sk": {"S": "BALANCE"}},
            "UpdateExpression": "SET " + ", ".join(f"#{n} = :new_{n}" for n in COUNTERS),
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeNames": {**named, "#updated_at": "updated_at"},
            "ExpressionAttributeValues": values,
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }


@dataclass(frozen=True, slots=True)
class NotRepairable:
    """An account whose drift has no update, and why; `decided` when there is drift for sure."""

    account: str
    reason: str
    decided: bool = True


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """The updates a person may run, and the accounts that have none."""

    source: str
    repairs: tuple[Repair, ...]
    left: tuple[NotRepairable, ...]


def repair_plan(report: AuditReport, books: Books, *, table: str) -> RepairPlan:
    """Plan a repair for every account whose counters, and nothing else, were found to be wrong."""
    drifted = [finding for finding in report.findings if finding.check == DRIFT_CHECK]
    suspects = _suspects(report)
    repairs: list[Repair] = []
    left = [NotRepairable(name, _UNJUDGED, decided=False) for name in report.unjudged]
    for finding in drifted:
        reason = _why_not(finding, suspects.get(finding.account, ()))
        rows = [] if reason else _balances(books, finding)
        if reason:
            sure = finding.outcome in (Outcome.FAILED, Outcome.WAIVED)
            left.append(NotRepairable(finding.account, reason, decided=sure))
        elif len(rows) != 1:
            left.append(NotRepairable(finding.account, _NO_BALANCE))
        else:
            repairs.append(_repair(finding, rows[0], table))
    return RepairPlan(report.source, tuple(repairs), tuple(left))


_UNJUDGED = "its balance could not be judged, so what the counters should be is not known"
_NO_BALANCE = "it has no BALANCE item to update; the service makes one with the currency in it"
_ENTRIES = (
    "the explanation allows that the entries are wrong and not the counters: correct the entry's "
    "state or add what is missing there, and audit again"
)
_UNDECIDED = {
    Outcome.INCONCLUSIVE: "the account was not found to lie still, so its drift is not confirmed",
    Outcome.TRANSIENT: "its drift was gone when the account was read again",
    Outcome.WAIVED: "its drift is waived",
}


def _suspects(report: AuditReport) -> Mapping[str, list[Finding]]:
    """Per account, the grave findings that are not of the counters."""
    found: dict[str, list[Finding]] = {}
    for finding in report.findings:
        counts = finding.outcome in (Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.WAIVED)
        if not counts or finding.severity not in _GRAVE or _of_the_counters(finding):
            continue
        others = finding.evidence.get("accounts")
        for account in {finding.account, *(others if isinstance(others, list) else ())}:
            found.setdefault(account, []).append(finding)
    return found


def _of_the_counters(finding: Finding) -> bool:
    return finding.check.startswith(_OF_THE_COUNTERS)


def _doubts(explanation: Explanation, suspects: Iterable[Finding]) -> str:
    """The checks that put the entries in doubt: all of them, or those the explanation names."""
    named = {key for keys in explanation.candidates for key in keys}
    doubting = {
        finding.check
        for finding in suspects
        if finding.check.startswith(_OF_ALL_ENTRIES) or not named.isdisjoint(_keys(finding))
    }
    return ", ".join(sorted(doubting))


def _keys(finding: Finding) -> set[str]:
    """The sort keys a finding speaks of."""
    listed = finding.evidence.get("keys")
    more = [key for key in listed if isinstance(key, str)] if isinstance(listed, list) else []
    return {finding.key, str(finding.evidence.get("ledger_sk", "")), *more}


def _why_not(finding: Finding, suspects: Iterable[Finding]) -> str:
    """Why a drift is not to be repaired by setting the counters, "" when it may be."""
    if finding.outcome is not Outcome.FAILED:
        return _UNDECIDED.get(finding.outcome, f"its drift is {finding.outcome}")
    explanation = finding.explanation
    if explanation is None or explanation.fault_class == FaultClass.UNEXPLAINED:
        return "nothing explains the drift, so it is not known which side is wrong"
    if finding.evidence.get("balance_item"):
        return _NO_BALANCE
    if _entries_may_be_wrong(explanation.fault_class, explanation.text, explanation.candidates):
        return _ENTRIES
    doubts = _doubts(explanation, suspects)
    if doubts:
        return f"its entries are in doubt themselves: {doubts}; settle that first"
    return ""


def _entries_may_be_wrong(classes: str, text: str, candidates: tuple[tuple[str, ...], ...]) -> bool:
    """Whether any reading of the drift leaves the counters right and the entries wrong.

    Faults of several classes are told by the text alone, which spells only the first ones out.
    """
    found = set(classes.split(OR))
    if FaultClass.STATE_NOT_RECORDED in text or not found <= {*COUNTERS_ARE_WRONG, "several"}:
        return True
    return FaultClass.SEVERAL in found and len(candidates) > SPELLED_OUT


def _balances(books: Books, finding: Finding) -> list[Row]:
    """The stored BALANCE of the account, once for each layout that has one."""
    return books.rows(
        "SELECT * FROM compared_balances JOIN "
        "(SELECT layout, account, updated_at FROM balances) USING (layout, account) "
        "WHERE account = $account AND currency IS NOT NULL",
        {"account": finding.account},
    )


def _repair(finding: Finding, row: Row, table: str) -> Repair:
    assert finding.explanation is not None
    updated = row["updated_at"]
    return Repair(
        table=table,
        layout=Layout(str(row["layout"])),
        account=finding.account,
        currency=str(row["currency"]),
        stored=_counters(row, "stored"),
        computed=_counters(row, "computed"),
        updated_at=None if updated is None else int(str(updated)),
        why=finding.explanation.text,
    )


def _counters(row: Row, side: str) -> Counters:
    return Counters(*(int(str(row[f"{side}_{counter}"])) for counter in COUNTERS))
