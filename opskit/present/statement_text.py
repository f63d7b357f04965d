"""One account's statement as plain text for a terminal."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from opskit.present.columns import columns, paragraph, underlined
from opskit.present.evidence import clipped
from opskit.present.statement_words import (
    DUE_HEADINGS,
    ENTRY_HEADINGS,
    agreement,
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
from opskit.present.words import utc

if TYPE_CHECKING:
    from opskit.ledger.statement import Statement

REASON_WIDTH = 26


def statement_text(statement: "Statement", *, width: int = 110) -> str:
    """The whole statement: header, closing balance, entries, then the account's other items."""
    lines = [
        *_header(statement, width),
        *_closing(statement),
        *_entries(statement, width),
        *_items(statement, width),
    ]
    return "\n".join(lines) + "\n"


def _header(statement: "Statement", width: int) -> Iterator[str]:
    yield from paragraph("", f"STATEMENT OF {statement.account}", width=width, hang=0)
    yield from paragraph("", f"{agreement(statement)}.", width=width, hang=0)
    yield ""
    for name, value in (
        ("Currency", currency_name(statement)),
        ("Period", period_text(statement.period)),
        ("As of", utc(statement.as_of)),
        ("Source", statement.source),
    ):
        yield from paragraph(name, value, width=width)


def _closing(statement: "Statement") -> Iterator[str]:
    yield from underlined("CLOSING BALANCE")
    headings = closing_headings(statement)
    yield from columns(headings, closing_rows(statement), right=range(1, len(headings)))
    if statement.is_tied and statement.stored is None:
        yield "The account has no BALANCE item; the service reads that as zero."


def _entries(statement: "Statement", width: int) -> Iterator[str]:
    yield from underlined(f"ENTRIES ({len(statement.lines):,})")
    rows = [opening_row(statement), *(entry_row(line, statement) for line in statement.lines)]
    headings = (*ENTRY_HEADINGS, *DUE_HEADINGS)
    table = columns(headings, rows, right={4, 5, 6, 7}, widest=REASON_WIDTH)
    yield from table[:2]
    for line, text in zip(statement.lines, table[2:], strict=True):
        yield text
        yield from paragraph("", clipped(entry_note(line)), width=width, hang=22)


def _items(statement: "Statement", width: int) -> Iterator[str]:
    for title, items in item_lists(statement):
        yield from underlined(f"{title.upper()} ({len(items):,})")
        for item in items:
            named = " · ".join(f"{name}={value}" for name, value in item_facts(item, statement))
            yield item_name(item)
            yield from paragraph("", named or "(no attributes)", width=width, hang=2)
        if not items:
            yield f"No {title}."
