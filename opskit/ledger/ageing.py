"""Aged receivables and aged pending: since when each amount has been open, to the minor unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opskit.errors import InputError
from opskit.ledger.books import Books, Row
from opskit.ledger.period import Period

DEFAULT_DAYS = (30, 60, 90, 120)
MAX_BUCKETS = 12
DISPUTE_REASONS = ("dispute_funds_withdrawn", "dispute_funds_reinstated", "chargeback")


@dataclass(frozen=True, slots=True)
class Receivable:
    """What one account owes, by the age of the debits it is for, in minor units.

    Payments are applied to the oldest debits first. `buckets` begins with what is less than a day
    old; `unapplied` are payments beyond every debit; `disputed` are funds that disputes and
    chargebacks took back, less those reinstated: they are not aged, and no payment is applied to
    them. `undated` is open on entries whose time cannot be read.
    """

    account: str
    currency: str
    buckets: tuple[int, ...]
    undated: int
    disputed: int
    unapplied: int
    due: int

    @property
    def is_proved(self) -> bool:
        """Whether the parts add up to what is due by the entries."""
        return sum(self.buckets) + self.undated + self.disputed - self.unapplied == self.due


@dataclass(frozen=True, slots=True)
class Pending:
    """What one account has pending on one side, `owed` or `payments`, by age in minor units."""

    account: str
    currency: str
    side: str
    buckets: tuple[int, ...]
    undated: int
    due: int

    @property
    def is_proved(self) -> bool:
        """Whether the parts add up to the pending counter by the entries."""
        return sum(self.buckets) + self.undated == self.due


@dataclass(frozen=True, slots=True)
class Ageing:
    """Every account with something open at an instant; `labels` name the buckets."""

    at: datetime
    labels: tuple[str, ...]
    receivables: tuple[Receivable, ...]
    pending: tuple[Pending, ...]


def bucket_days(text: str) -> tuple[int, ...]:
    """The upper ends of the buckets in days, from `30,60,90`; InputError when they do not rise."""
    parts = text.split(",")
    if not all(part.strip().isascii() and part.strip().isdigit() for part in parts):
        raise InputError(f"--buckets {text!r} is not a list of days; give for example 30,60,90,120")
    days = tuple(int(part) for part in parts)
    if list(days) != sorted({*days}) or days[0] < 1 or len(days) > MAX_BUCKETS:
        message = f"--buckets {text!r} does not rise from 1 in at most {MAX_BUCKETS} steps"
        raise InputError(f"{message}; give for example 30,60,90,120")
    return days


def bucket_labels(days: Sequence[int]) -> tuple[str, ...]:
    """The buckets' names: current, 1-30, ..., 120+."""
    starts = (1, *(day + 1 for day in days))
    ranges = (f"{start}-{end}" for start, end in zip(starts, days, strict=False))
    return ("current", *ranges, f"{days[-1]}+")


def ageing(
    books: Books, *, at: datetime, period: Period, days: Sequence[int] = DEFAULT_DAYS
) -> Ageing:
    """The judged accounts' receivables and pending amounts by age at an instant.

    Entries from the period's end on are left out. Every account's parts add up to what is due.
    """
    values = {"at": int(at.timestamp()), "period_end": period.parameters()["period_end"]}
    buckets = len(days) + 2
    bucket = _bucket(days)
    rows = books.rows(_RECEIVABLES.format(bucket=bucket), values)
    receivables = [_receivable(row, buckets) for row in rows]
    rows = books.rows(_PENDING.format(bucket=bucket), values)
    pending = [_pending(row, buckets) for row in rows]
    assert all(row.is_proved for row in receivables)
    assert all(row.is_proved for row in pending)
    return Ageing(at, bucket_labels(days), tuple(receivables), tuple(pending))


def _bucket(days: Sequence[int]) -> str:
    """The number of the bucket an entry's time falls into, -1 without a time."""
    age = "floor(($at - ts) / 86400)"
    cases = "".join(f" WHEN {age} <= {day} THEN {n}" for n, day in enumerate((0, *days)))
    return f"CASE WHEN ts IS NULL THEN -1{cases} ELSE {len(days) + 1} END"


def _receivable(row: Row, buckets: int) -> Receivable:
    placed = _placed(row)
    return Receivable(
        account=str(row["account"]),
        currency=str(row["currency"]),
        buckets=tuple(placed.get(number, 0) for number in range(buckets)),
        undated=placed.get(-1, 0),
        disputed=int(str(row["disputed"])),
        unapplied=int(str(row["unapplied"])),
        due=int(str(row["due"])),
    )


def _pending(row: Row, buckets: int) -> Pending:
    placed = _placed(row)
    return Pending(
        account=str(row["account"]),
        currency=str(row["currency"]),
        side=str(row["side"]),
        buckets=tuple(placed.get(number, 0) for number in range(buckets)),
        undated=placed.get(-1, 0),
        due=int(str(row["due"])),
    )


def _placed(row: Row) -> dict[int, int]:
    placed = row["placed"]
    assert isinstance(placed, dict)
    return {int(bucket): int(amount) for bucket, amount in placed.items()}


_REASONS = ", ".join(f"'{reason}'" for reason in DISPUTE_REASONS)
_WITHIN = f"""
    WITH within AS (
        SELECT *, type = 'adjustment' AND reason IN ({_REASONS}) AS is_dispute
        FROM judged_postings
        WHERE $period_end IS NULL OR ts IS NULL OR ts < $period_end
    )"""
_RECEIVABLES = (
    _WITHIN
    + """,
    sums AS (
        SELECT layout, account, currency,
            coalesce(sum(owed_settled) FILTER (WHERE is_dispute), 0)::HUGEINT AS disputes,
            coalesce(sum(owed_settled) FILTER (WHERE NOT is_dispute AND owed_settled < 0), 0)
                ::HUGEINT AS taken_back,
            sum(payments_settled)::HUGEINT AS payments,
            sum(owed_settled - payments_settled)::HUGEINT AS due
        FROM within GROUP BY ALL
    ),
    pools AS (
        SELECT *, greatest(disputes, 0) AS disputed,
            payments - taken_back + greatest(-disputes, 0) AS pool
        FROM sums
    ),
    charges AS (
        SELECT layout, account, ts, owed_settled AS amount,
            sum(owed_settled) OVER (
                PARTITION BY layout, account ORDER BY ts NULLS FIRST, sk
                ROWS UNBOUNDED PRECEDING)::HUGEINT AS reached
        FROM within WHERE NOT is_dispute AND owed_settled > 0
    ),
    by_bucket AS (
        SELECT layout, account, {bucket} AS bucket,
            sum(amount)::HUGEINT AS charged,
            sum(greatest(0, least(amount, reached - greatest(pool, 0))))::HUGEINT AS open
        FROM charges JOIN pools USING (layout, account) GROUP BY ALL
    ),
    placed AS (
        SELECT layout, account, sum(charged - open)::HUGEINT AS applied,
            map_from_entries(list((bucket, open))) AS placed
        FROM by_bucket GROUP BY ALL
    )
    SELECT account, currency, disputed, due,
        pool - coalesce(applied, 0) AS unapplied,
        coalesce(placed, MAP {{}}) AS placed
    FROM pools LEFT JOIN placed USING (layout, account)
    WHERE due <> 0 OR disputed <> 0 OR unapplied <> 0
    ORDER BY currency, due DESC, account"""
)
_PENDING = (
    _WITHIN
    + """,
    sides AS (
        SELECT layout, account, currency, ts, 'owed' AS side, owed_pending AS amount FROM within
        UNION ALL
        SELECT layout, account, currency, ts, 'payments', payments_pending FROM within
    ),
    by_bucket AS (
        SELECT layout, account, currency, side, {bucket} AS bucket, sum(amount)::HUGEINT AS open
        FROM sides WHERE amount <> 0 GROUP BY ALL
    ),
    placed AS (
        SELECT layout, account, currency, side, map_from_entries(list((bucket, open))) AS placed
        FROM by_bucket GROUP BY ALL
    ),
    sums AS (
        SELECT layout, account, side, sum(amount)::HUGEINT AS due FROM sides GROUP BY ALL
    )
    SELECT account, currency, side, due, placed
    FROM placed JOIN sums USING (layout, account, side)
    ORDER BY currency, side, due DESC, account"""
)
