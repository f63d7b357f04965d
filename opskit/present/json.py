"""Reports and statements as JSON documents: exact, complete, amounts in minor units."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from opskit.audit.report import (
    AuditReport,
    CheckResult,
    Comparison,
    ControlTotal,
    Explanation,
    Finding,
)
from opskit.present.escape import masked
from opskit.present.words import amount_at_risk, headline, utc

if TYPE_CHECKING:
    from opskit.ledger.statement import Statement, StatementLine


def json_text(document: Mapping[str, object]) -> str:
    """A document as ASCII text, in which no control or lone surrogate is left raw."""
    return json.dumps(document, indent=2, ensure_ascii=True, allow_nan=False)


def report_json(report: AuditReport) -> dict[str, object]:
    """An audit's answer by the command line's contract; every key of it is always there."""
    return {
        "verdict": report.verdict.value,
        "headline": headline(report),
        "as_of": utc(report.as_of),
        "source": report.source,
        "examined": dict(report.examined),
        "unjudged": list(report.unjudged),
        "amount_at_risk": amount_at_risk(report),
        "checks": [_check(result) for result in report.results],
        "findings": [_finding(finding) for finding in report.findings],
        "observations": [_finding(seen) for seen in report.observations],
        "control_totals": _totals(report.control_totals),
        "remarks": list(report.remarks),
        "comparison": _comparison(report.comparison),
    }


def statement_json(statement: "Statement") -> dict[str, object]:
    """One account's statement; `stored` is null when the account has no BALANCE item."""
    return {
        "account": statement.account,
        "currency": statement.currency,
        "as_of": utc(statement.as_of),
        "source": statement.source,
        "period": {
            "from": utc(statement.period.start) if statement.period.start else None,
            "to": utc(statement.period.end) if statement.period.end else None,
            "restated": not statement.is_tied,
        },
        "opening": asdict(statement.opening),
        "entries": [_line(line) for line in statement.lines],
        "stored": asdict(statement.stored) if statement.stored else None,
        "computed": asdict(statement.computed),
        "difference": asdict(statement.difference) if statement.is_tied else None,
        "unjudged": statement.unjudged,
        "payments": [_plain_values(item) for item in statement.payments],
        "payment_methods": [_plain_values(item) for item in statement.payment_methods],
        "subscriptions": [_plain_values(item) for item in statement.subscriptions],
        "settings": None if statement.settings is None else _plain_values(statement.settings),
    }


def exact(value: object) -> object:
    """A value JSON can hold without losing any of it: decimals as text, times in UTC."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, datetime):
        return utc(value)
    if isinstance(value, Mapping):
        return {str(name): exact(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [exact(inner) for inner in value]
    return str(value)


def _plain_values(item: Mapping[str, object]) -> object:
    return exact(masked("", item))


def _check(result: CheckResult) -> dict[str, object]:
    return {
        "id": result.id,
        "severity": result.severity.value,
        "outcome": result.outcome.value,
        "examined": result.examined,
        "findings": len(result.findings),
        "observations": len(result.observations),
        "title": result.title,
        "reason": result.reason,
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "id": finding.id,
        "check": finding.check,
        "severity": finding.severity.value,
        "outcome": finding.outcome.value,
        "account": finding.account,
        "key": finding.key,
        "condition": finding.condition,
        "evidence": _plain_values(finding.evidence),
        "explanation": _explanation(finding.explanation),
        "rereads": [{**asdict(read), "at": utc(read.at)} for read in finding.rereads],
    }


def _explanation(explanation: Explanation | None) -> dict[str, object] | None:
    if explanation is None:
        return None
    return {
        "class": explanation.fault_class,
        "candidates": [list(keys) for keys in explanation.candidates],
        "text": explanation.text,
    }


def _comparison(comparison: Comparison | None) -> object:
    return None if comparison is None else exact(asdict(comparison))


def _totals(totals: tuple[ControlTotal, ...]) -> dict[str, object]:
    document: dict[str, dict[str, object]] = {}
    for total in totals:
        document.setdefault(total.currency, {})[total.counter] = {
            "stored": total.stored,
            "computed": total.computed,
            "difference": total.difference,
        }
    return dict(document)


def _line(line: "StatementLine") -> dict[str, object]:
    return {**asdict(line), "ts": None if line.ts is None else utc(line.ts)}
