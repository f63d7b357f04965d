"""Two snapshots of the same books: what the earlier one closed with, and what became of it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby

from opskit.ledger.books import Books, Row
from opskit.ledger.counters import Counters
from opskit.ledger.period import Period
from opskit.ledger.rollforward import Movement, counters_of, movement_of, sums, total
from opskit.money import format_minor
from opskit.read.manifest import SourceKind
from opskit.tables.items import COUNTERS

SHOWN_RESTATED = 1_000
LATEST = 253_402_300_799
"""The last second of the year 9999."""


class Change(StrEnum):
    """What became of an entry between two snapshots."""

    CARRIED = "carried"
    POSTED = "posted"
    SETTLED = "pending to settled"
    RELEASED = "pending to reversed"
    REVERSED = "settled to reversed"
    BACKDATED = "posted into the earlier period"
    DELETED = "deleted"
    ALTERED = "altered"


RESTATEMENTS = frozenset({Change.BACKDATED, Change.DELETED, Change.ALTERED})
"""The changes that rewrite a period that was closed."""


@dataclass(frozen=True, slots=True)
class ChangedEntries:
    """What the entries of one kind with one change moved."""

    change: Change
    movement: Movement


@dataclass(frozen=True, slots=True)
class RestatedEntry:
    """An entry that rewrites an earlier period; `text` says how it was and how it is."""

    account: str
    sk: str
    change: Change
    currency: str
    text: str
    effect: Counters


@dataclass(frozen=True, slots=True)
class CurrencyContinuity:
    """One currency from the earlier snapshot's closing to this one's."""

    currency: str
    opening: Counters
    changes: tuple[ChangedEntries, ...]
    closing: Counters


@dataclass(frozen=True, slots=True)
class Continuity:
    """Whether these books go on from where an earlier snapshot ended.

    `restated` holds at most SHOWN_RESTATED of the `restatements`; `left_out` counts the accounts
    that could not be judged in one of the two.
    """

    earlier: str
    cutoff: datetime | None
    currencies: tuple[CurrencyContinuity, ...]
    restated: tuple[RestatedEntry, ...]
    restatements: int
    left_out: int

    @property
    def goes_on(self) -> bool:
        """Whether the earlier closing is still the opening: nothing before it was rewritten."""
        return not self.restatements


def continuity(books: Books, earlier: Books, period: Period) -> Continuity:
    """What became of each entry of the earlier books in these.

    An entry that is new is a restatement where its time is before the period, or without one
    before the earlier snapshot was read (for a file: before its last entry).
    """
    _add_earlier(books, earlier)
    cutoff = _cutoff(earlier, period)
    books.db.execute(_CHANGED, {"cutoff": cutoff})
    restated = [_restated(row) for row in books.rows(_RESTATED, {"shown": SHOWN_RESTATED})]
    counts = books.one(_COUNTS)
    return Continuity(
        earlier=earlier.manifest.describe(),
        cutoff=None if cutoff is None else datetime.fromtimestamp(cutoff, UTC),
        currencies=_currencies(books),
        restated=tuple(restated),
        restatements=int(str(counts["restatements"])),
        left_out=int(str(counts["left_out"])),
    )


def _add_earlier(books: Books, earlier: Books) -> None:
    """The earlier books' postings and unjudged accounts as tables of these."""
    for name, query in _EARLIER_TABLES.items():
        reader = earlier.db.sql(query).to_arrow_reader(100_000)
        books.db.register("incoming", reader)
        books.db.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM incoming")
        books.db.unregister("incoming")


def _cutoff(earlier: Books, period: Period) -> int | None:
    """The instant, in epoch seconds, before which the earlier snapshot had everything."""
    start, _ = period.bounds
    if start is not None:
        return start
    if earlier.manifest.source.kind is SourceKind.TABLE:
        return int(datetime.fromisoformat(earlier.manifest.started).timestamp())
    row = earlier.one("SELECT max(ts) AS ts FROM entries")
    return None if row["ts"] is None else int(str(row["ts"]))


def _currencies(books: Books) -> tuple[CurrencyContinuity, ...]:
    openings = {str(row["currency"]): counters_of(row) for row in books.rows(_OPENINGS)}
    rows = {
        currency: list(of_currency)
        for currency, of_currency in groupby(
            books.rows(_SUMS), key=lambda row: str(row["currency"])
        )
    }
    return tuple(
        _currency(currency, openings.get(currency, Counters()), rows.get(currency, []))
        for currency in sorted({*openings, *rows})
    )


def _currency(currency: str, opening: Counters, rows: list[Row]) -> CurrencyContinuity:
    changes = tuple(ChangedEntries(Change(str(row["change"])), movement_of(row)) for row in rows)
    closing = opening + total(change.movement.effect for change in changes)
    return CurrencyContinuity(currency, opening, changes, closing)


def _restated(row: Row) -> RestatedEntry:
    change = Change(str(row["change"]))
    currency = str(row["currency"])
    was = _entry_text(row, "was_", currency)
    now = _entry_text(row, "", currency)
    text = {Change.BACKDATED: f"now {now}", Change.DELETED: f"was {was}"}
    return RestatedEntry(
        account=str(row["account"]),
        sk=str(row["sk"]),
        change=change,
        currency=currency,
        text=text.get(change, f"was {was}; now {now}"),
        effect=counters_of(row, "moved_"),
    )


def _entry_text(row: Row, prefix: str, currency: str) -> str:
    names = ("type", "state", "reason", "amount_cents", "ts")
    kind, state, reason, minor_units, ts = (row[prefix + name] for name in names)
    amount = f"{minor_units} minor units"
    if isinstance(minor_units, int) and len(currency) == 3:
        amount = format_minor(minor_units, currency)
    return f"{kind} {state} {reason} of {amount} at {_instant_text(ts)}"


def _instant_text(ts: object) -> str:
    """An entry's time as a date, or as it stands where no date is that far away."""
    if not isinstance(ts, int) or not 0 <= ts <= LATEST:
        return str(ts)
    return datetime.fromtimestamp(ts, UTC).isoformat().replace("+00:00", "Z")


_KEPT = "layout, account, sk, ts, type, state, reason, entry_id, amount_cents, currency"
_EARLIER_TABLES = {
    "earlier_postings": f"SELECT {_KEPT}, {', '.join(COUNTERS)} FROM judged_postings",
    "earlier_unjudged": "SELECT layout, account FROM unjudged_accounts",
    "earlier_accounts": "SELECT layout, account FROM accounts",
}
_WAS = ", ".join(
    f"was.{name} AS was_{name}" for name in ("type", "state", "reason", "amount_cents", "ts")
)
_MOVED = ", ".join(
    f"coalesce(now.{name}, 0) - coalesce(was.{name}, 0) AS moved_{name}" for name in COUNTERS
)
_SAME = " AND ".join(
    f"was.{name} IS NOT DISTINCT FROM now.{name}"
    for name in ("ts", "type", "reason", "entry_id", "amount_cents")
)
_MOVES = " ".join(
    f"WHEN {_SAME} AND was.state = '{was}' AND now.state = '{now}' THEN '{change}'"
    for was, now, change in (
        ("pending", "settled", Change.SETTLED),
        ("pending", "reversed", Change.RELEASED),
        ("settled", "reversed", Change.REVERSED),
    )
)
_CHANGED = f"""
    CREATE OR REPLACE TEMP TABLE changed_entries AS
    SELECT
        layout, account, sk,
        coalesce(now.type, was.type) AS kind,
        now.type, now.state, now.reason, now.amount_cents, now.ts,
        coalesce(now.currency, was.currency) AS currency,
        CASE
            WHEN was.entry_key IS NULL AND coalesce(now.ts >= $cutoff, true) THEN '{Change.POSTED}'
            WHEN was.entry_key IS NULL THEN '{Change.BACKDATED}'
            WHEN now.entry_key IS NULL THEN '{Change.DELETED}'
            WHEN {_SAME} AND was.state = now.state THEN '{Change.CARRIED}'
            {_MOVES}
            ELSE '{Change.ALTERED}'
        END AS change,
        {_WAS}, {_MOVED}
    FROM (
        SELECT *, sk AS entry_key FROM judged_postings
        ANTI JOIN earlier_unjudged USING (layout, account)
    ) AS now
    FULL JOIN (
        SELECT *, sk AS entry_key FROM earlier_postings
        ANTI JOIN unjudged_accounts USING (layout, account)
    ) AS was USING (layout, account, sk)"""
_OPENINGS = f"""
    SELECT currency, {sums()} FROM earlier_postings
    ANTI JOIN unjudged_accounts USING (layout, account)
    GROUP BY currency ORDER BY currency"""
_SUMS = f"""
    SELECT currency, change, kind AS type,
        CASE WHEN kind = 'adjustment' THEN coalesce(reason, was_reason) END AS reason,
        count(*) AS entries, {", ".join(f"sum(moved_{n})::HUGEINT AS {n}" for n in COUNTERS)}
    FROM changed_entries WHERE change <> '{Change.CARRIED}'
    GROUP BY ALL ORDER BY currency, change, type, reason"""
_IS_RESTATED = "change IN ({})".format(", ".join(f"'{change}'" for change in sorted(RESTATEMENTS)))
_RESTATED = f"""
    SELECT * FROM changed_entries WHERE {_IS_RESTATED}
    ORDER BY account, sk LIMIT $shown"""
_COUNTS = f"""
    SELECT
        (SELECT count(*) FROM changed_entries WHERE {_IS_RESTATED}) AS restatements,
        (SELECT count(*) FROM (
            SELECT layout, account FROM unjudged_accounts
            UNION SELECT layout, account FROM earlier_unjudged)) AS left_out"""
