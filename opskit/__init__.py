"""opskit: provision, prove and audit a service's DynamoDB tables, its billing ledger to the cent.

Importing it loads nothing heavy: each name below is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opskit.audit import sql
    from opskit.audit.check import load_checks
    from opskit.audit.ledger_report import LedgerReport, ledger_report
    from opskit.audit.report import AuditReport, Finding
    from opskit.audit.run import audit_snapshot
    from opskit.aws import Connection, dynamodb_client
    from opskit.errors import OpskitError
    from opskit.ledger.books import open_books
    from opskit.ledger.sql import query
    from opskit.ledger.statement import Statement, account_statement
    from opskit.money import format_minor
    from opskit.present import (
        books_csv,
        books_json,
        books_page,
        books_text,
        findings_csv,
        report_frames,
        report_html,
        report_json,
        report_junit,
        report_text,
        statement_html,
        statement_text,
    )
    from opskit.provision.apply import apply_plan
    from opskit.provision.plan import Plan, plan
    from opskit.read.capture import read_captures
    from opskit.read.scan import snapshot_account, snapshot_table
    from opskit.read.snapshot import Snapshot, open_snapshot
    from opskit.settings import Settings, load_settings
    from opskit.tables import TableSpec, catalogue

__all__ = [
    "AuditReport",
    "Connection",
    "Finding",
    "LedgerReport",
    "OpskitError",
    "Plan",
    "Settings",
    "Snapshot",
    "Statement",
    "TableSpec",
    "account_statement",
    "apply_plan",
    "audit_snapshot",
    "books_csv",
    "books_json",
    "books_page",
    "books_text",
    "catalogue",
    "dynamodb_client",
    "findings_csv",
    "format_minor",
    "ledger_report",
    "load_checks",
    "load_settings",
    "open_books",
    "open_snapshot",
    "plan",
    "query",
    "read_captures",
    "report_frames",
    "report_html",
    "report_json",
    "report_junit",
    "report_text",
    "snapshot_account",
    "snapshot_table",
    "sql",
    "statement_html",
    "statement_text",
]

_HOMES = {
    "opskit.audit": ("sql",),
    "opskit.audit.check": ("load_checks",),
    "opskit.audit.ledger_report": ("LedgerReport", "ledger_report"),
    "opskit.audit.report": ("AuditReport", "Finding"),
    "opskit.audit.run": ("audit_snapshot",),
    "opskit.aws": ("Connection", "dynamodb_client"),
    "opskit.errors": ("OpskitError",),
    "opskit.ledger.books": ("open_books",),
    "opskit.ledger.sql": ("query",),
    "opskit.ledger.statement": ("Statement", "account_statement"),
    "opskit.money": ("format_minor",),
    "opskit.present": (
        "books_csv",
        "books_json",
        "books_page",
        "books_text",
        "findings_csv",
        "report_frames",
        "report_html",
        "report_json",
        "report_junit",
        "report_text",
        "statement_html",
        "statement_text",
    ),
    "opskit.provision.apply": ("apply_plan",),
    "opskit.provision.plan": ("Plan", "plan"),
    "opskit.read.capture": ("read_captures",),
    "opskit.read.scan": ("snapshot_account", "snapshot_table"),
    "opskit.read.snapshot": ("Snapshot", "open_snapshot"),
    "opskit.settings": ("Settings", "load_settings"),
    "opskit.tables": ("TableSpec", "catalogue"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name from its home."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'opskit' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
