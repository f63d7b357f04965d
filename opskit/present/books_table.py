"""A table of text that every rendering of the books shares."""

from dataclasses import dataclass

from opskit.present.words import known_currency


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table; the columns at `figures` hold numbers; `strong` rows are totals.

    `caption` says what is in it; `note` what a reader must know beside it, "" when nothing.
    """

    title: str
    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figures: tuple[int, ...] = ()
    strong: frozenset[int] = frozenset()
    note: str = ""


def currency_unit(currency: str) -> str:
    """The unit of a table's figures."""
    return currency if known_currency(currency) else "minor units of an unknown currency"


def more(left_out: int) -> str:
    """What a table that does not list everything says."""
    return f"{left_out:,} more are in the CSV and the JSON." if left_out > 0 else ""
