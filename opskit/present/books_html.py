"""The books as one page that works offline."""

from typing import TYPE_CHECKING

from opskit.audit.report import Outcome
from opskit.present.books_table import Table
from opskit.present.books_words import basis, headline, tables
from opskit.present.escape import UNTYPESET, Element, Node, element, page
from opskit.present.evidence import clipped
from opskit.present.marks import facts_list, grid, icon, scrolling, section
from opskit.present.words import counted, utc

if TYPE_CHECKING:
    from opskit.audit.ledger_report import LedgerReport

TITLE = "The books"
SHOWN_ACCOUNTS = 500


def books_page(report: "LedgerReport", *, shown: int = SHOWN_ACCOUNTS) -> str:
    """One self-contained page; at most `shown` accounts in each table that lists accounts."""
    found = tables(report, shown=shown)
    body = element(
        "div",
        _masthead(report),
        element("main", *(_section(table) for table in found), _provenance(report)),
        element("footer", f"{TITLE}. Amounts are exact; times are UTC."),
        class_=f"opskit {UNTYPESET}",
    )
    return page(f"{headline(report)} · {TITLE}", body)


def _outcome(report: "LedgerReport") -> Outcome:
    if not report.agrees:
        return Outcome.FAILED
    return Outcome.PASSED if report.is_whole else Outcome.INCONCLUSIVE


def _masthead(report: "LedgerReport") -> Element:
    outcome = _outcome(report)
    return element(
        "header",
        element("p", TITLE, element("span", f"as of {utc(report.as_of)}"), class_="kicker"),
        element("h1", icon(outcome), element("span", headline(report)), class_=f"is-{outcome}"),
        element("p", basis(report), class_="lede"),
        class_="masthead",
    )


def _section(table: Table) -> Element:
    rows = [
        tuple(_cell(cell, strong=number in table.strong) for cell in row)
        for number, row in enumerate(table.rows)
    ]
    drawn = grid(table.caption, table.headings, rows, figures=table.figures, class_="books")
    return section(
        table.title,
        scrolling(drawn, table.title) if rows else element("p", f"{table.caption}."),
        element("p", clipped(table.note), class_="quiet") if table.note else None,
    )


def _cell(text: str, *, strong: bool) -> Node:
    return element("strong", clipped(text)) if strong else clipped(text)


def _provenance(report: "LedgerReport") -> Element:
    files = [
        (name, f"{counted(rows, 'row')}, SHA-256 {digest}")
        for name, rows, digest in report.population.files
    ]
    named = [("Source", report.source), ("As of", utc(report.as_of)), *files]
    return section("Provenance", facts_list(named))
