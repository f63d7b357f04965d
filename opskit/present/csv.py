"""Findings and statements as CSV for a spreadsheet: text made safe, numbers left numbers.

Amounts are whole minor units in columns of their own. Write the text as `utf-8-sig`, which
spreadsheets recognise. The faithful record of hostile text is the JSON.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from opskit.audit.report import AuditReport, CheckResult, Finding
from opskit.present.escape import csv_text, masked
from opskit.present.json import exact
from opskit.present.words import currency_of, drift_of, utc
from opskit.tables.items import COUNTERS

if TYPE_CHECKING:
    from opskit.ledger.statement import Statement, StatementLine

Cell = str | int | None

FINDING_COLUMNS = (
    *("id", "check", "severity", "outcome", "account", "key", "condition", "currency"),
    *(f"drift_{counter}" for counter in COUNTERS),
    *("explanation_class", "explanation", "candidates", "evidence", "criterion", "remedy"),
)
STATEMENT_COLUMNS = (
    *("account", "currency", "ts", "sk", "entry_id", "type", "state", "reason", "processor_ref"),
    *("debit", "credit", "running_settled", "running_pending", "note"),
)


MAX_CELL = 32_000
"""Where a cell is cut: spreadsheets cut at 32,767 characters, and say nothing."""


def findings_csv(report: AuditReport) -> str:
    """Every finding of a report, one row each, with its check's criterion and remedy."""
    checks = {result.id: result for result in report.results}
    rows = (_finding_row(finding, checks.get(finding.check)) for finding in report.findings)
    return csv_of(FINDING_COLUMNS, rows)


def statement_csv(statement: "Statement") -> str:
    """The entries of a statement with their running balances, one row each.

    A statement that begins at a date has its opening balance as a row before them.
    """
    opening = [_opening_row(statement)] if statement.period.start else []
    lines = (_line_row(statement, line) for line in statement.lines)
    return csv_of(STATEMENT_COLUMNS, (*opening, *lines))


def csv_of(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table as CSV, every text in it made safe and every number left a number."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def _safe(cell: Cell) -> Cell:
    if not isinstance(cell, str):
        return cell
    safe = csv_text(cell[:MAX_CELL])
    if len(cell) <= MAX_CELL and len(safe) <= MAX_CELL:
        return safe
    return f"{safe[:MAX_CELL]}… ({len(cell):,} characters, cut here)"


def _json(value: object) -> str:
    return json.dumps(exact(value), ensure_ascii=False, sort_keys=True)


def _finding_row(finding: Finding, check: CheckResult | None) -> list[Cell]:
    drift = drift_of(finding)
    cause = finding.explanation
    return [
        *(finding.id, finding.check, finding.severity.value, finding.outcome.value),
        *(finding.account, finding.key, finding.condition, currency_of(finding)),
        *(drift.get(counter) for counter in COUNTERS),
        *((cause.fault_class, cause.text, _json(cause.candidates)) if cause else ("", "", "")),
        _json(masked("", finding.evidence)),
        *((check.criterion, check.remedy) if check else ("", "")),
    ]


def _opening_row(statement: "Statement") -> list[Cell]:
    start, opening = statement.period.start, statement.opening
    pending = opening.due_if_settled - opening.due_settled
    return [
        *(statement.account, statement.currency, utc(start) if start else "", "", ""),
        *("", "", "opening balance", "", 0, 0, opening.due_settled, pending, ""),
    ]


def _line_row(statement: "Statement", line: "StatementLine") -> list[Cell]:
    return [
        *(statement.account, statement.currency, utc(line.ts) if line.ts else "", line.sk),
        *(line.entry_id, line.type, line.state, line.reason, line.processor_ref),
        *(line.debit, line.credit, line.running_settled, line.running_pending, line.note),
    ]
