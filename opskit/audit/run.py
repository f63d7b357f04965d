"""Running checks over the books: each ends with an outcome and with what it examined."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import duckdb

from opskit.audit.check import Check, load_checks
from opskit.audit.report import (
    AuditReport,
    CheckResult,
    ControlTotal,
    Finding,
    Outcome,
)
from opskit.ledger.books import Books, Row, open_books
from opskit.read.snapshot import Snapshot
from opskit.tables.items import COUNTERS, KindName

_FINDING_COLUMNS = ("account", "key", "condition", "outcome")

Progress = Callable[[str], None]


def audit_snapshot(
    snapshot: Snapshot,
    *,
    as_of: datetime,
    checks: Iterable[Check] | None = None,
    progress: Progress = lambda _: None,
) -> AuditReport:
    """Run the checks (all built-in ones unless given) over a complete snapshot.

    Raises IncompleteReadError for a snapshot whose read was not COMPLETE: no total and no finding
    comes out of one.
    """
    with open_books(snapshot) as books:
        results = []
        for check in load_checks() if checks is None else checks:
            results.append(run_check(books, check))
            progress(f"{check.id}: {results[-1].outcome}")
        return AuditReport(
            as_of=as_of,
            source=snapshot.manifest.describe(),
            examined=_examined(books, snapshot),
            results=tuple(results),
            control_totals=_control_totals(books),
            unjudged=_unjudged(books),
        )


def run_check(books: Books, check: Check) -> CheckResult:
    """One check's result; SQL that does not run ends as ERRORED with the engine's reason."""
    try:
        examined = _number(books.rows(check.population))
        findings = tuple(_finding(check, row) for row in books.rows(check.query))
        unjudged = books.rows(check.unjudged) if check.unjudged else []
    except (duckdb.Error, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        return _result(check, Outcome.ERRORED, reason=reason)
    outcome, reason = _outcome(examined, findings, len(unjudged))
    return _result(check, outcome, examined=examined, findings=findings, reason=reason)


def _result(
    check: Check,
    outcome: Outcome,
    *,
    examined: int = 0,
    findings: tuple[Finding, ...] = (),
    reason: str = "",
) -> CheckResult:
    return CheckResult(
        id=check.id,
        severity=check.severity,
        title=check.title,
        criterion=check.criterion,
        remedy=check.remedy,
        outcome=outcome,
        examined=examined,
        findings=findings,
        reason=reason,
    )


def _outcome(
    examined: int, findings: tuple[Finding, ...], unjudged: int
) -> tuple[Outcome, str]:
    """A check's outcome and its reason, from what it examined, found and could not judge."""
    reason = f"{unjudged} accounts could not be judged" if unjudged else ""
    if any(finding.outcome is Outcome.FAILED for finding in findings):
        return Outcome.FAILED, reason
    if findings or unjudged:
        return Outcome.INCONCLUSIVE, reason
    if not examined:
        return Outcome.SKIPPED, "there was nothing to examine"
    return Outcome.PASSED, ""


def _finding(check: Check, row: Row) -> Finding:
    """The finding a row of a check's answer stands for."""
    return Finding(
        check=check.id,
        severity=check.severity,
        outcome=Outcome(str(row.get("outcome") or Outcome.FAILED)),
        account=str(row["account"]),
        key=str(row["key"]),
        condition=str(row["condition"]),
        evidence=nested_evidence(row),
    )


def nested_evidence(row: Mapping[str, object]) -> dict[str, object]:
    """A row's evidence: NULLs left out, a name with a dot inside the mapping before the dot."""
    evidence: dict[str, object] = {}
    for name, value in row.items():
        if name in _FINDING_COLUMNS or value is None:
            continue
        group, dot, member = name.partition(".")
        if dot:
            inner = evidence.setdefault(group, {})
            assert isinstance(inner, dict)
            inner[member] = value
        else:
            evidence[name] = value
    return evidence


def _number(rows: list[Row]) -> int:
    """The one number of a query that counts."""
    [row] = rows
    [value] = row.values()
    return int(str(value))


def _examined(books: Books, snapshot: Snapshot) -> dict[str, int]:
    """How many items of each kind the snapshot holds, and how many accounts."""
    counted = {kind.value: snapshot.rows(kind) for kind in KindName}
    accounts = _number(books.rows("SELECT count(*) FROM accounts"))
    return {"items": snapshot.manifest.items, "accounts": accounts, **counted}


def _control_totals(books: Books) -> tuple[ControlTotal, ...]:
    """Stored and computed totals of each counter, per currency, over the judged accounts."""
    sums = ", ".join(
        f"sum({side}_{counter})::HUGEINT AS {side}_{counter}"
        for counter in COUNTERS
        for side in ("stored", "computed")
    )
    rows = books.rows(f"""
        SELECT coalesce(upper(currency), '') AS currency, {sums}
        FROM compared_balances GROUP BY ALL ORDER BY currency""")
    return tuple(
        ControlTotal(
            currency=str(row["currency"]),
            counter=counter,
            stored=int(str(row[f"stored_{counter}"])),
            computed=int(str(row[f"computed_{counter}"])),
        )
        for row in rows
        for counter in COUNTERS
    )


def _unjudged(books: Books) -> tuple[str, ...]:
    rows = books.rows("SELECT account FROM unjudged_accounts ORDER BY account")
    return tuple(str(row["account"]) for row in rows)
