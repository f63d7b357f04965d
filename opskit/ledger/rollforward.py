"""The roll-forward: what the counters opened with, what moved them, what they closed with."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from opskit.ledger.books import Books, Row
from opskit.ledger.counters import Counters
from opskit.ledger.period import Period
from opskit.tables.items import COUNTERS


@dataclass(frozen=True, slots=True)
class Movement:
    """What entries of one kind moved, over all judged accounts of a currency, in minor units.

    `kind` is `debit`, `credit` or `adjustment`; `reason` is "" except for adjustments, whose
    direction only the reason tells. `entries` counts them, the reversed ones with no effect too.
    """

    kind: str
    reason: str
    entries: int
    effect: Counters


@dataclass(frozen=True, slots=True)
class RollForward:
    """One currency over a period; `stored` is None where the period is closed.

    Entries change state in place, so a period in the past is as restated by now.
    """

    currency: str
    opening: Counters
    movements: tuple[Movement, ...]
    closing: Counters
    stored: Counters | None

    @property
    def difference(self) -> Counters | None:
        """Stored less closing; None where there is nothing to compare."""
        return None if self.stored is None else self.stored - self.closing


def roll_forward(books: Books, period: Period) -> tuple[RollForward, ...]:
    """The roll-forward of each currency over a period, of every account that can be judged."""
    rows = books.rows(_MOVEMENTS, period.parameters())
    stored = _stored(books) if period.is_open else {}
    moved = {
        currency: list(of_currency)
        for currency, of_currency in groupby(rows, key=lambda row: str(row["currency"]))
    }
    currencies = sorted({*moved, *stored})
    return tuple(
        _rolled(currency, moved.get(currency, []), stored.get(currency, Counters()), period)
        for currency in currencies
    )


def undated_entries(books: Books) -> int:
    """How many entries of judged accounts have no readable time, and so are in no period."""
    row = books.one("SELECT count(*) AS n FROM judged_postings WHERE ts IS NULL")
    return int(str(row["n"]))


def _rolled(currency: str, rows: list[Row], stored: Counters, period: Period) -> RollForward:
    opening = total(counters_of(row) for row in rows if row["before"])
    movements = in_order(movement_of(row) for row in rows if not row["before"])
    closing = opening + total(movement.effect for movement in movements)
    return RollForward(
        currency, opening, movements, closing, stored=stored if period.is_open else None
    )


def total(effects: Iterable[Counters]) -> Counters:
    """The sum of some counters."""
    return sum(effects, start=Counters())


def movement_of(row: Row) -> Movement:
    """The movement a row of sums stands for."""
    entries = int(str(row["entries"]))
    return Movement(str(row["type"]), str(row["reason"] or ""), entries, counters_of(row))


def in_order(movements: Iterable[Movement]) -> tuple[Movement, ...]:
    """Debits, credits, then adjustments by reason."""
    order = {"debit": 0, "credit": 1}
    return tuple(sorted(movements, key=lambda one: (order.get(one.kind, 2), one.kind, one.reason)))


def counters_of(row: Row, prefix: str = "") -> Counters:
    """The four sums of a row as counters."""
    return Counters(*(int(str(row[prefix + counter] or 0)) for counter in COUNTERS))


def _stored(books: Books) -> dict[str, Counters]:
    return {str(row["currency"]): counters_of(row) for row in books.rows(_STORED)}


def sums(prefix: str = "") -> str:
    """The four counters summed, without the limit of 64 bits."""
    return ", ".join(f"sum({prefix}{name})::HUGEINT AS {name}" for name in COUNTERS)


_MOVEMENTS = f"""
    SELECT
        currency,
        coalesce($period_start IS NOT NULL AND (ts IS NULL OR ts < $period_start), false)
            AS before,
        type,
        CASE WHEN type = 'adjustment' THEN reason END AS reason,
        count(*) AS entries,
        {sums()}
    FROM judged_postings
    WHERE $period_end IS NULL OR ts IS NULL OR ts < $period_end
    GROUP BY ALL
    ORDER BY currency"""

_STORED = f"""
    SELECT coalesce(upper(currency), '') AS currency, {sums("stored_")}
    FROM compared_balances GROUP BY ALL ORDER BY currency"""
