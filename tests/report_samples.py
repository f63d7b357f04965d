"""Real reports and statements for the tests of their renderings."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from opskit.audit.report import (
    AuditReport,
    CheckResult,
    ControlTotal,
    Explanation,
    Finding,
    Outcome,
    Severity,
)
from opskit.ledger.counters import Counters
from opskit.ledger.statement import Statement, StatementLine

AS_OF = datetime(2026, 12, 1, tzinfo=UTC)
DRIFT_CHECK = "balances.stored_equals_entries"
ENTRY = "LEDGER#1781231728#1781231728000_82d8c1924796a2f1"


def drift(
    account: str,
    counters: Mapping[str, int],
    *,
    currency: object = "usd",
    outcome: Outcome = Outcome.FAILED,
    check: str = DRIFT_CHECK,
) -> Finding:
    """One account's counter drift, explained by two candidates."""
    explanation = Explanation("settled twice", ((ENTRY,), ("LEDGER#2", "LEDGER#3")), "Two fit.")
    evidence = {"drift": dict(counters), "currency": currency}
    condition = "The stored counters differ from the entries."
    place = (account, "BALANCE", condition, evidence)
    return Finding(check, Severity.CRITICAL, outcome, *place, explanation)


def result(
    check: str, *findings: Finding, outcome: Outcome = Outcome.FAILED, reason: str = ""
) -> CheckResult:
    """One check's result with words of its own."""
    words = (f"Title of {check}", f"Criterion of {check}.", f"Remedy of {check}.")
    severity = findings[0].severity if findings else Severity.HIGH
    return CheckResult(check, severity, *words, outcome, 179, findings, reason)


def noting(check: str, count: int) -> CheckResult:
    """A check that passed and noted so many accounts, each with a drift that counts for nothing."""
    evidence = {"drift": {"owed_settled": -100}, "overdue": 1234, "currency": "usd", "days": 31}
    condition = "The debit has been pending for long."
    seen = (
        Finding(
            *(check, Severity.INFO, Outcome.NOTED),
            *(f"USER#{number:05d}", f"LEDGER#{number:05d}", condition, evidence),
        )
        for number in range(count)
    )
    passed = result(check, outcome=Outcome.PASSED, reason=f"{count} noted")
    return replace(passed, severity=Severity.INFO, observations=tuple(seen))


def report(*results: CheckResult, unjudged: tuple[str, ...] = ()) -> AuditReport:
    """A report of these results over 179 accounts."""
    totals = (ControlTotal("usd", "owed_settled", 400_00, 300_00),)
    examined = {"entries": 1137, "accounts": 179, "payment_methods": 180}
    return AuditReport(AS_OF, "capture of 2 files", examined, results, totals, unjudged)


def failing() -> AuditReport:
    """Drift in two accounts, an unknown rule, a skipped and a broken check."""
    unknown = Finding(
        "entries.known_posting_rule",
        Severity.HIGH,
        Outcome.INCONCLUSIVE,
        "USER#c",
        ENTRY,
        "No posting rule covers this adjustment.",
        {"amount_cents": 2500, "currency": "jpy", "created_at": 1781231728, "email": "a@b.example"},
    )
    return report(
        result(
            DRIFT_CHECK,
            drift("USER#a", {"payments_pending": -999, "payments_settled": 999}),
            drift("USER#b", {"owed_settled": -100}, currency="jpy"),
        ),
        result("balances.present", outcome=Outcome.PASSED),
        result(
            "entries.known_posting_rule", unknown, outcome=Outcome.INCONCLUSIVE, reason="a rule"
        ),
        result("links.purchase_table", outcome=Outcome.SKIPPED, reason="no purchase table"),
        result("webhooks.ttl_effective", outcome=Outcome.ERRORED, reason="SQL failed"),
        unjudged=("USER#c",),
    )


def statement(**changes: object) -> Statement:
    """One account with a debit, a credit settled twice, and one item of each other kind."""
    moment = datetime(2026, 6, 12, 2, 35, 28, tzinfo=UTC)
    lines = (
        StatementLine("LEDGER#1", moment, "1_a", "debit", "settled", "usage", "", 2500, 0, 2500, 0),
        StatementLine(
            *("LEDGER#2", None, "2_b", "credit", "settled", "charge_once", "pi_1"),
            *(0, 123456, -120956, -120956, "no time"),
        ),
    )
    values: dict[str, object] = {
        "account": "USER#a",
        "currency": "usd",
        "source": "snapshot of billing",
        "as_of": AS_OF,
        "lines": lines,
        "stored": Counters(0, 2500, -123456, 246912),
        "computed": Counters(0, 2500, 0, 123456),
        "payments": ({"sk": "PAY#pi_1", "amount_cents": 123456, "status": "succeeded"},),
        "payment_methods": ({"sk": "PM#1", "label": "payer@example.com", "last4": "4242"},),
        "subscriptions": (),
        "settings": {"autopay_enabled": True, "currency": "usd"},
        **changes,
    }
    return Statement(**values)  # type: ignore[arg-type]
