"""Running checks over the books: each ends with an outcome and with what it examined."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

import duckdb

from opskit.audit.check import Check, builtin_statements, load_checks
from opskit.audit.explain import explain_findings
from opskit.audit.parameters import AS_OF, SETTLE_WINDOW, Value, bound, run_values
from opskit.audit.report import (
    UNJUDGED,
    AuditReport,
    CheckResult,
    ControlTotal,
    Finding,
    Outcome,
    Severity,
)
from opskit.errors import InputError
from opskit.ledger.books import Books, Row, open_books, set_clock
from opskit.ledger.sql_guard import require_harmless
from opskit.read.snapshot import Snapshot
from opskit.tables.items import COUNTERS, KindName

_FINDING_COLUMNS = ("account", "key", "condition", "outcome")
_REUSED_VIEWS = (
    "rules_in_use",
    "computed_balances",
    "unjudged_accounts",
    "compared_balances",
    "payment_links",
    "unnamed_credits",
    "shared_ids",
    "reversals",
)
_IN_FLIGHT = "; the account was written to just now, so this may be a write half done"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Run:
    """What every check of one run is given."""

    books: Books
    values: Mapping[str, Value]
    views: frozenset[str]
    unsettled: frozenset[str]


def audit_snapshot(
    snapshot: Snapshot,
    *,
    as_of: datetime,
    checks: Iterable[Check] | None = None,
    parameters: Mapping[str, str] = MappingProxyType({}),
    progress: Progress = lambda _: None,
) -> AuditReport:
    """Run the checks (all built-in ones unless given) over a complete snapshot.

    `parameters` are values for the checks' own parameters and `settle_window`, as text; InputError
    names one that no check takes. Raises IncompleteReadError for a snapshot whose read was not
    COMPLETE: no total and no finding comes out of one.
    """
    chosen = tuple(load_checks() if checks is None else checks)
    values = run_values(chosen, parameters, as_of)
    with open_books(snapshot) as books:
        run = _prepared(books, values)
        results = []
        for check in chosen:
            results.append(_run_check(run, check))
            progress(f"{check.id}: {results[-1].outcome}")
        return AuditReport(
            as_of=as_of,
            source=snapshot.manifest.describe(),
            examined=_examined(books, snapshot),
            results=tuple(results),
            control_totals=_control_totals(books),
            unjudged=_unjudged(books),
            snapshot=snapshot,
        )


def _prepared(books: Books, values: Mapping[str, Value]) -> _Run:
    """A run over books whose clock is set and whose dearest views are computed once."""
    set_clock(books, int(values[AS_OF]), int(values[SETTLE_WINDOW]))
    for view in _REUSED_VIEWS:
        books.compute_once(view)
    rows = books.rows("SELECT account FROM unsettled_accounts")
    unsettled = frozenset(str(row["account"]) for row in rows)
    return _Run(books, values, books.views(), unsettled)


def run_check(books: Books, check: Check, *, as_of: datetime) -> CheckResult:
    """One check's result on its own; SQL that does not run ends as ERRORED with the reason."""
    return _run_check(_prepared(books, run_values([check], {}, as_of)), check)


def _run_check(run: _Run, check: Check) -> CheckResult:
    try:
        examined = _number(_rows(run, check, check.population))
        rows = _rows(run, check, check.query)
        findings = tuple(_settled(run, check, _finding(check, row)) for row in rows)
        unjudged = _rows(run, check, check.unjudged) if check.unjudged else []
    except (duckdb.Error, InputError, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        return _result(check, Outcome.ERRORED, reason=reason)
    if not examined and not findings and check.empty:
        return _result(check, Outcome.SKIPPED, reason=check.empty)
    outcome, reason = _outcome(examined, findings, len(unjudged))
    result = _result(check, outcome, examined=examined, reason=reason)
    in_order = sorted(findings, key=lambda f: (f.account, f.key, f.condition, f.id))
    ordered = explain_findings(run.books, in_order)
    noted = tuple(f for f in ordered if f.outcome is Outcome.NOTED)
    return replace(
        result,
        findings=tuple(f for f in ordered if f.outcome is not Outcome.NOTED),
        observations=noted,
        reason=reason or (f"{len(noted)} noted" if noted else ""),
    )


def _rows(run: _Run, check: Check, sql: str) -> list[Row]:
    """The answer of one statement of a check, which may read the views and do nothing else.

    The built-in checks' own statements are known to: a test puts each through the guard.
    """
    if sql not in builtin_statements():
        require_harmless(run.books.db, sql, run.views, parameters=True)
    return run.books.rows(sql, bound(sql, check, run.values))


def _settled(run: _Run, check: Check, finding: Finding) -> Finding:
    """The finding, INCONCLUSIVE where an account it is about may be half way through a write."""
    if finding.outcome is not Outcome.FAILED or check.judges_single_items:
        return finding
    others = finding.evidence.get("accounts")
    about = {finding.account, *(others if isinstance(others, list) else ())}
    if run.unsettled.isdisjoint(about):
        return finding
    condition = finding.condition + _IN_FLIGHT
    return replace(finding, outcome=Outcome.INCONCLUSIVE, condition=condition)


def _result(
    check: Check,
    outcome: Outcome,
    *,
    examined: int = 0,
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
        reason=reason,
    )


def _outcome(examined: int, findings: tuple[Finding, ...], unjudged: int) -> tuple[Outcome, str]:
    """A check's outcome and its reason, from what it examined, found and could not judge."""
    ended = Counter(finding.outcome for finding in findings)
    accounts = "account" if unjudged == 1 else "accounts"
    reason = f"{unjudged} {accounts} {UNJUDGED}" if unjudged else ""
    if ended[Outcome.FAILED]:
        return Outcome.FAILED, reason
    if ended[Outcome.INCONCLUSIVE] or unjudged:
        undecided = f"{ended[Outcome.INCONCLUSIVE]} of the findings could not be decided"
        return Outcome.INCONCLUSIVE, reason or undecided
    if not examined:
        return Outcome.SKIPPED, "there was nothing to examine"
    return Outcome.PASSED, ""


def _finding(check: Check, row: Row) -> Finding:
    """The finding a row of a check's answer stands for."""
    return Finding(
        check=check.id,
        severity=check.severity,
        outcome=Outcome(str(row.get("outcome") or _default_outcome(check))),
        account=str(row["account"]),
        key=str(row["key"]),
        condition=str(row["condition"]),
        evidence=nested_evidence(row),
    )


def _default_outcome(check: Check) -> Outcome:
    return Outcome.NOTED if check.severity is Severity.INFO else Outcome.FAILED


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
