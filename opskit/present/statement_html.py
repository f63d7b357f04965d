"""One account's statement as HTML sections."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from opskit.audit.report import Outcome
from opskit.present.escape import Element, element
from opskit.present.evidence import clipped
from opskit.present.marks import Row, facts_list, grid, icon, scrolling, section
from opskit.present.statement_words import (
    DUE_HEADINGS,
    ENTRY_HEADINGS,
    Item,
    agreement,
    agrees,
    closing_headings,
    closing_rows,
    currency_name,
    entry_note,
    entry_row,
    item_facts,
    item_lists,
    item_name,
    opening_row,
    period_text,
)
from opskit.present.words import counted, utc

if TYPE_CHECKING:
    from opskit.ledger.statement import Statement, StatementLine

SHOWN_ENTRIES = 5_000


def statement_body(statement: "Statement") -> tuple[Element, ...]:
    """The masthead, then the closing balance, the entries and the account's other items."""
    return (
        _masthead(statement),
        _closing(statement),
        _entries(statement),
        *_items(statement),
        _provenance(statement),
    )


def _outcome(statement: "Statement") -> Outcome:
    if statement.unjudged:
        return Outcome.INCONCLUSIVE
    if not statement.is_tied:
        return Outcome.NOTED
    return Outcome.PASSED if agrees(statement) else Outcome.FAILED


def _masthead(statement: "Statement") -> Element:
    outcome = _outcome(statement)
    return element(
        "header",
        element(
            "p",
            "Account statement",
            element("span", period_text(statement.period)),
            element("span", f"as of {utc(statement.as_of)}"),
            class_="kicker",
        ),
        element("h1", element("span", clipped(statement.account))),
        element(
            "p", icon(outcome), f"{clipped(agreement(statement))}.", class_=f"lede is-{outcome}"
        ),
        class_="masthead",
    )


def _closing(statement: "Statement") -> Element:
    compared = "Stored counters against the posting rules" if statement.is_tied else "As restated"
    caption = f"{compared}; currency {currency_name(statement)}"
    headings = closing_headings(statement)
    missed = statement.is_tied and statement.stored is None
    missing = "The account has no BALANCE item; the service reads that as zero."
    rows = closing_rows(statement)
    figures = range(1, len(headings))
    table = grid(caption, headings, rows, figures=figures, class_="totals")
    return section(
        "Closing balance",
        scrolling(table, "Closing balance"),
        element("p", missing, class_="quiet") if missed else None,
    )


def _entries(statement: "Statement") -> Element:
    lines = statement.lines[:SHOWN_ENTRIES]
    left_out = len(statement.lines) - len(lines)
    caption = f"{counted(len(statement.lines), 'entry', 'entries')}, oldest first"
    headings = (*ENTRY_HEADINGS, *DUE_HEADINGS)
    rows = [opening_row(statement), *(_entry(line, statement) for line in lines)]
    note = f"{left_out:,} more entries are in the CSV and the JSON."
    table = grid(caption, headings, rows, figures={4, 5, 6, 7}, class_="entries")
    return section(
        "Entries",
        scrolling(table, "Entries"),
        element("p", note, class_="quiet") if left_out else None,
    )


def _entry(line: "StatementLine", statement: "Statement") -> Row:
    time, kind, state, reason, *figures = map(clipped, entry_row(line, statement))
    named = element("code", clipped(entry_note(line)))
    return (
        time,
        kind,
        state,
        element("span", element("span", reason), named, class_="name"),
        *figures,
    )


def _items(statement: "Statement") -> list[Element]:
    return [
        section(title.capitalize(), _item_table(title, items, statement))
        for title, items in item_lists(statement)
    ]


def _item_table(title: str, items: Sequence[Item], statement: "Statement") -> Element:
    if not items:
        return element("p", "None.", class_="quiet")
    rows = [
        (
            element("code", item_name(item)),
            facts_list(item_facts(item, statement), class_="inline"),
        )
        for item in items
    ]
    return grid(
        f"{title.capitalize()}: {len(items):,}", ("item", "attributes"), rows, class_="items"
    )


def _provenance(statement: "Statement") -> Element:
    named = (("Source", statement.source), ("As of", utc(statement.as_of)))
    return section("Provenance", facts_list(named))
