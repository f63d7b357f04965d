"""Aged receivables and aged pending as tables."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from opskit.present.books_table import Table, currency_unit, more
from opskit.present.words import amount_alone, counted, utc

if TYPE_CHECKING:
    from opskit.ledger.ageing import Ageing, Pending, Receivable

NONE = "–"  # noqa: RUF001
RECEIVABLE_ENDS = ("disputed", "unapplied", "due")
Figures = tuple[int, ...]


def ageing_tables(aged: "Ageing", *, shown: int) -> Iterator[Table]:
    """The tables of each currency, totals first, then at most `shown` accounts."""
    for currency in sorted({row.currency for row in aged.receivables}):
        yield _receivables(aged, currency, shown)
    for currency in sorted({row.currency for row in aged.pending}):
        yield _pending(aged, currency, shown)


def receivable_figures(row: "Receivable") -> Figures:
    """An account's parts: undated, the buckets, disputed, unapplied (negative), due."""
    return (row.undated, *row.buckets, row.disputed, -row.unapplied, row.due)


def pending_figures(row: "Pending") -> Figures:
    """An account's parts: undated, the buckets, all that is pending."""
    return (row.undated, *row.buckets, row.due)


def _receivables(aged: "Ageing", currency: str, shown: int) -> Table:
    rows = [row for row in aged.receivables if row.currency == currency]
    figures = [receivable_figures(row) for row in rows]
    named = [
        (("all accounts",), _sums(figures)),
        *(((row.account,), one) for row, one in zip(rows[:shown], figures, strict=False)),
    ]
    return _table(
        f"Aged receivables in {currency_unit(currency)}",
        f"{counted(len(rows), 'account')} at {utc(aged.at)}; days since the debit settled,"
        " payments applied to the oldest first",
        ("account", "undated", *aged.labels, *RECEIVABLE_ENDS),
        _written(named, currency),
        note=more(len(rows) - shown),
    )


def _pending(aged: "Ageing", currency: str, shown: int) -> Table:
    rows = [row for row in aged.pending if row.currency == currency]
    named = [
        (("all accounts", side), _sums([pending_figures(r) for r in rows if r.side == side]))
        for side in sorted({row.side for row in rows})
    ]
    totals = len(named)
    named += [((row.account, row.side), pending_figures(row)) for row in rows[:shown]]
    return _table(
        f"Aged pending in {currency_unit(currency)}",
        f"{counted(len(rows), 'amount')} pending at {utc(aged.at)}, by days since the entry",
        ("account", "side", "undated", *aged.labels, "pending"),
        _written(named, currency),
        totals=totals,
        note=more(len(rows) - shown),
    )


def _sums(rows: Sequence[Figures]) -> Figures:
    return tuple(sum(column) for column in zip(*rows, strict=True))


def _written(
    named: Iterable[tuple[tuple[str, ...], Figures]], currency: str
) -> list[tuple[str, ...]]:
    return [
        (*names, *(amount_alone(value, currency) if value else NONE for value in figures))
        for names, figures in named
    ]


def _table(
    title: str,
    caption: str,
    headings: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    *,
    totals: int = 1,
    note: str = "",
) -> Table:
    """A table without the column of undated amounts where no account has any."""
    undated = headings.index("undated")
    kept = [
        index
        for index in range(len(headings))
        if index != undated or any(row[index] != NONE for row in rows)
    ]
    return Table(
        title=title,
        caption=caption,
        headings=tuple(headings[index] for index in kept),
        rows=tuple(tuple(row[index] for index in kept) for row in rows),
        figures=tuple(range(undated, len(kept))),
        strong=frozenset(range(totals)),
        note=note,
    )
