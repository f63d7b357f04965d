"""The books as plain text for a terminal."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from opskit.present.books_table import Table
from opskit.present.books_words import basis, headline, tables
from opskit.present.columns import columns, paragraph, underlined
from opskit.present.words import utc

if TYPE_CHECKING:
    from opskit.audit.ledger_report import LedgerReport

SHOWN_ACCOUNTS = 15


def books_text(report: "LedgerReport", *, width: int = 110, shown: int = SHOWN_ACCOUNTS) -> str:
    """The whole report; at most `shown` accounts in each table that lists accounts."""
    lines = [*_header(report, width)]
    for table in tables(report, shown=shown):
        lines += _table(table, width)
    return "\n".join(lines) + "\n"


def _header(report: "LedgerReport", width: int) -> Iterator[str]:
    yield headline(report).upper()
    yield from paragraph("", basis(report), width=width, hang=0)
    yield ""
    for name, value in (("Source", report.source), ("As of", utc(report.as_of))):
        yield from paragraph(name, value, width=width)


def _table(table: Table, width: int) -> Iterator[str]:
    yield from underlined(table.title.upper())
    yield from paragraph("", f"{table.caption}.", width=width, hang=0)
    if table.rows:
        yield from columns(table.headings, table.rows, right=table.figures)
    if table.note:
        yield from paragraph("", table.note, width=width, hang=0)
