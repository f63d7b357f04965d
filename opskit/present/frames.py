"""A report as frames for a notebook: whole numbers stay whole, absent ones are absent."""

from typing import TYPE_CHECKING, NamedTuple

from opskit.audit.report import AuditReport, CheckResult, ControlTotal, Finding
from opskit.present.escape import masked
from opskit.present.words import currency_of, drift_of
from opskit.tables.items import COUNTERS

if TYPE_CHECKING:
    import pandas as pd

FINDINGS = (
    *("id", "check", "severity", "outcome", "account", "key", "condition", "currency"),
    *(f"drift_{counter}" for counter in COUNTERS),
    *("explanation_class", "explanation", "candidates", "evidence"),
)
CHECKS = ("id", "severity", "title", "outcome", "examined", "findings", "observations", "reason")
CONTROL_TOTALS = ("currency", "counter", "stored", "computed", "difference")


class ReportFrames(NamedTuple):
    """A report's parts; amounts are in minor units.

    `findings` and `observations` have the columns FINDINGS, `checks` CHECKS and `control_totals`
    CONTROL_TOTALS. Candidates are lists of keys, evidence a mapping with what is secret masked.
    """

    findings: "pd.DataFrame"
    observations: "pd.DataFrame"
    checks: "pd.DataFrame"
    control_totals: "pd.DataFrame"


def report_frames(report: AuditReport) -> ReportFrames:
    """A report as four frames, each in the report's own order."""
    from opskit.ledger.sql import frame_of

    return ReportFrames(
        findings=frame_of(FINDINGS, [_finding(one) for one in report.findings]),
        observations=frame_of(FINDINGS, [_finding(one) for one in report.observations]),
        checks=frame_of(CHECKS, [_check(one) for one in report.results]),
        control_totals=frame_of(CONTROL_TOTALS, [_total(one) for one in report.control_totals]),
    )


def _finding(finding: Finding) -> tuple[object, ...]:
    drift, cause = drift_of(finding), finding.explanation
    return (
        *(finding.id, finding.check, finding.severity.value, finding.outcome.value),
        *(finding.account, finding.key, finding.condition, currency_of(finding)),
        *(drift.get(counter) for counter in COUNTERS),
        *((cause.fault_class, cause.text, cause.candidates) if cause else ("", "", ())),
        masked("", finding.evidence),
    )


def _check(result: CheckResult) -> tuple[object, ...]:
    return (
        *(result.id, result.severity.value, result.title, result.outcome.value, result.examined),
        *(len(result.findings), len(result.observations), result.reason),
    )


def _total(total: ControlTotal) -> tuple[object, ...]:
    return (total.currency, total.counter, total.stored, total.computed, total.difference)
