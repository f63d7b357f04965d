"""The books for programs: one JSON document, or one tidy CSV; amounts are whole minor units."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from opskit.present.books_ageing import RECEIVABLE_ENDS, pending_figures, receivable_figures
from opskit.present.csv import Cell, csv_of
from opskit.present.json import exact
from opskit.present.words import utc

if TYPE_CHECKING:
    from opskit.audit.ledger_report import LedgerReport
    from opskit.ledger.continuity import ChangedEntries, Continuity

BOOKS_COLUMNS = ("report", "currency", "account", "line", "column", "minor_units", "note")


def books_json(report: "LedgerReport") -> dict[str, object]:
    """Everything the report holds; counters by name."""
    period = report.period
    return {
        "agrees": report.agrees,
        "whole": report.is_whole,
        "as_of": utc(report.as_of),
        "source": report.source,
        "period": {
            "from": utc(period.start) if period.start else None,
            "to": utc(period.end) if period.end else None,
            "restated": not period.is_open,
        },
        "unjudged": list(report.unjudged),
        "remarks": list(report.remarks),
        "undated_entries": report.undated,
        "roll_forward": [exact(asdict(one)) for one in report.roll_forward],
        "continuity": _continuity(report.continuity),
        "control": [
            {
                **asdict(one),
                "difference": one.difference,
                "explained": one.explained,
                "unexplained": one.unexplained,
                "unconfirmed": one.unconfirmed,
            }
            for one in report.control
        ],
        "ageing": exact(asdict(report.ageing)),
        "population": {**_plain(asdict(report.population)), "proved": report.population.is_proved},
    }


def _plain(document: dict[str, object]) -> dict[str, object]:
    return {name: exact(value) for name, value in document.items()}


def _continuity(found: "Continuity | None") -> object:
    return None if found is None else {**_plain(asdict(found)), "goes_on": found.goes_on}


def books_csv(report: "LedgerReport") -> str:
    """Every figure of the books in a row of its own, so that one file holds all of them.

    An account's empty ages are left out; what it has due is always there.
    """
    figures = (*_rolled(report), *_control(report), *_aged(report), *_counted(report))
    continued = () if report.continuity is None else _continued(report.continuity)
    return csv_of(BOOKS_COLUMNS, (*([*row, ""] for row in figures), *continued))


def _continued(found: "Continuity") -> Iterator[list[Cell]]:
    """What became of the earlier closing, then every entry that rewrites it with its effect."""
    for one in found.currencies:
        moved = [(_change_words(part), part.movement.effect) for part in one.changes]
        for line, counters in (
            ("earlier closing", one.opening),
            *moved,
            ("closing now", one.closing),
        ):
            for column, value in asdict(counters).items():
                yield ["continuity", one.currency, "", line, column, value, ""]
    yield ["restated", "", "", "entries", "entries", found.restatements, ""]
    for entry in found.restated:
        note = f"{entry.change.value}: {entry.text}"
        for column, value in asdict(entry.effect).items():
            yield ["restated", entry.currency, entry.account, entry.sk, column, value, note]


def _change_words(part: "ChangedEntries") -> str:
    movement = part.movement
    kind = " ".join(word for word in (movement.kind, movement.reason) if word)
    return f"{part.change.value}, {kind}"


def _rolled(report: "LedgerReport") -> Iterator[list[Cell]]:
    for one in report.roll_forward:
        moved = [
            (" ".join(part for part in (move.kind, move.reason) if part), move.effect)
            for move in one.movements
        ]
        lines = [("opening", one.opening), *moved, ("closing", one.closing)]
        if one.stored is not None:
            lines.append(("stored", one.stored))
        for line, counters in lines:
            for column, value in asdict(counters).items():
                yield ["roll_forward", one.currency, "", line, column, value]


def _control(report: "LedgerReport") -> Iterator[list[Cell]]:
    lines = ("stored", "computed", "difference", "explained", "unexplained", "unconfirmed", "gross")
    for one in report.control:
        for line in lines:
            value = getattr(one, line)
            yield ["control", one.currency, "", line, one.counter, value]


def _aged(report: "LedgerReport") -> Iterator[list[Cell]]:
    aged = report.ageing
    for row in aged.receivables:
        columns = ("undated", *aged.labels, *RECEIVABLE_ENDS)
        for column, value in zip(columns, receivable_figures(row), strict=True):
            if value or column == "due":
                yield ["receivables", row.currency, row.account, "", column, value]
    for pending in aged.pending:
        columns = ("undated", *aged.labels, "pending")
        for column, value in zip(columns, pending_figures(pending), strict=True):
            if value:
                yield ["pending", pending.currency, pending.account, pending.side, column, value]


def _counted(report: "LedgerReport") -> Iterator[list[Cell]]:
    for kind in report.population.kinds:
        yield ["population", "", "", kind.kind, "items", kind.held]
