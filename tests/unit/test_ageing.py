"""Aged amounts are what is open on each debit after paying the oldest first, to the minor unit."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opskit.errors import InputError
from opskit.ledger.ageing import Ageing, Receivable, ageing, bucket_days, bucket_labels
from opskit.ledger.books import Books, Row, open_books
from opskit.ledger.period import Period
from opskit.ledger.statement import EPOCH
from opskit.read.capture import read_captures
from tests.captures import Item, balance, entry, write_capture

DATA = Path(__file__).parents[1] / "data" / "billing-capture"
FILES = [DATA / "billing.jsonl.gz", DATA / "billing_ccbill.jsonl.gz"]
AS_OF = datetime(2026, 12, 1, tzinfo=UTC)
DAY = 86_400
START = 1_770_000_000


def aged(tmp_path: Path, items: list[Item], *, days: int, period: Period = Period()) -> Ageing:  # noqa: B008
    """The ageing of a few items so many days after the first instant."""
    capture = write_capture(tmp_path / "items.jsonl", items)
    at = EPOCH + timedelta(seconds=START + days * DAY)
    with open_books(read_captures([capture], tmp_path / "snapshot")) as books:
        return ageing(books, at=at, period=period)


def on_day(day: int, amount: int, **changes: str) -> Item:
    """An entry of u1 on a day."""
    return entry("USER#u1", day * DAY, amount, **changes)


def test_payments_cover_the_oldest_debits_first(tmp_path: Path) -> None:
    """Of debits of 100, 200 and 300, a payment of 250 leaves half of the second and the third."""
    items = [
        *(on_day(0, 100), on_day(50, 200), on_day(99, 300)),
        *(on_day(98, 250, type="credit"), balance("USER#u1")),
    ]
    [row] = aged(tmp_path, items, days=100).receivables
    assert row.buckets == (0, 300, 50, 0, 0, 0)
    assert (row.disputed, row.unapplied, row.due, row.currency) == (0, 0, 350, "USD")


@pytest.mark.parametrize(
    ("age", "bucket"),
    [(0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4), (120, 4), (121, 5)],
)
def test_an_age_falls_into_the_bucket_that_names_it(tmp_path: Path, age: int, bucket: int) -> None:
    """The ends of every bucket are in it."""
    [row] = aged(tmp_path, [on_day(10, 5)], days=10 + age).receivables
    assert row.buckets[bucket] == 5
    assert sum(row.buckets) == 5


def test_what_is_paid_beyond_every_debit_is_unapplied(tmp_path: Path) -> None:
    """A one-time credit without a debit stands in a column of its own."""
    [row] = aged(tmp_path, [on_day(1, 70, type="credit")], days=2).receivables
    assert (row.unapplied, row.due, sum(row.buckets)) == (70, -70, 0)


def test_disputes_stand_apart(tmp_path: Path) -> None:
    """Funds withdrawn less those reinstated are disputed: not aged, and no payment covers them."""
    items = [
        on_day(1, 500, type="adjustment", reason="dispute_funds_withdrawn"),
        on_day(2, 200, type="adjustment", reason="dispute_funds_reinstated"),
        on_day(3, 40, type="adjustment", reason="refund"),
        on_day(4, 100, type="credit"),
    ]
    [row] = aged(tmp_path, items, days=5).receivables
    assert (row.disputed, row.unapplied, sum(row.buckets), row.due) == (300, 60, 0, 240)


def test_pending_is_aged_by_side(tmp_path: Path) -> None:
    """Pending debits and pending payments are aged by their own time."""
    items = [
        on_day(0, 100, state="pending"),
        on_day(40, 30, state="pending"),
        on_day(41, 20, type="credit", state="pending"),
    ]
    rows = {row.side: row.buckets for row in aged(tmp_path, items, days=45).pending}
    assert rows == {"owed": (0, 30, 100, 0, 0, 0), "payments": (0, 20, 0, 0, 0, 0)}


def test_an_entry_without_a_time_is_undated(tmp_path: Path) -> None:
    """It is in no bucket, and still in the total."""
    odd = on_day(1, 70) | {"ts": {"S": "soon"}}
    [row] = aged(tmp_path, [odd, on_day(2, 5)], days=3).receivables
    assert (row.undated, row.buckets[1], row.due) == (70, 5, 75)


def test_an_account_that_cannot_be_judged_is_left_out(tmp_path: Path) -> None:
    """Nothing is guessed about an unknown rule."""
    odd = on_day(1, 70, type="adjustment", reason="goodwill")
    assert not aged(tmp_path, [odd, on_day(2, 5)], days=3).receivables


def test_a_period_ends_before_its_end(tmp_path: Path) -> None:
    """What comes at the end or later is not in the ageing of a closed period."""
    end = EPOCH + timedelta(seconds=START + 2 * DAY)
    items = [on_day(1, 10), on_day(2, 20)]
    [row] = aged(tmp_path, items, days=2, period=Period(None, end)).receivables
    assert row.due == 10


def by_hand(postings: list[Row], at: int) -> dict[str, int]:
    """One account's receivables worked out debit by debit: buckets, disputed, unapplied."""
    disputes = ("dispute_funds_withdrawn", "dispute_funds_reinstated", "chargeback")
    found = dict.fromkeys((*bucket_labels((30, 60, 90, 120)), "disputed", "unapplied"), 0)
    debts: list[list[int]] = []
    paid = disputed = 0
    for row in sorted(postings, key=lambda row: (int(str(row["ts"])), str(row["sk"]))):
        owed, settled = int(str(row["owed_settled"])), int(str(row["payments_settled"]))
        paid += settled
        if row["type"] == "adjustment" and row["reason"] in disputes:
            disputed += owed
        elif owed:
            debts.append([int(str(row["ts"])), owed])
    paid, disputed = paid + max(-disputed, 0), max(disputed, 0)
    for ts, amount in debts:
        covered = min(paid, amount)
        paid -= covered
        age = (at - ts) // DAY
        ends = (0, 30, 60, 90, 120)
        place = next((n for n, end in enumerate(ends) if age <= end), 5)
        found[bucket_labels((30, 60, 90, 120))[place]] += amount - covered
    return found | {"disputed": disputed, "unapplied": paid}


def as_parts(row: Receivable) -> Mapping[str, int]:
    """A receivable's parts by name."""
    labels = bucket_labels((30, 60, 90, 120))
    named = dict(zip(labels, row.buckets, strict=True))
    return named | {"disputed": row.disputed, "unapplied": row.unapplied}


def compared_by_hand(books: Books, at: datetime) -> int:
    """Check every account of some books against the sum by hand; how many had anything open."""
    found = {
        row.account: as_parts(row) for row in ageing(books, at=at, period=Period()).receivables
    }
    accounts: dict[str, list[Row]] = {}
    for posting in books.rows("SELECT * FROM judged_postings"):
        accounts.setdefault(str(posting["account"]), []).append(posting)
    for account, postings in accounts.items():
        parts = by_hand(postings, int(at.timestamp()))
        assert found.get(account, dict.fromkeys(parts, 0)) == parts
    return len(found)


@pytest.mark.parametrize("at", [AS_OF, datetime(2026, 6, 15, tzinfo=UTC)])
def test_the_captured_books_age_as_by_hand(tmp_path: Path, at: datetime) -> None:
    """Every account of the capture has the buckets that walking its debits gives."""
    with open_books(read_captures(FILES, tmp_path / "snapshot")) as books:
        assert compared_by_hand(books, at) > 100
        rows = ageing(books, at=at, period=Period())
        due = books.one("SELECT sum(owed_settled - payments_settled) AS n FROM computed_balances")
        assert sum(row.due for row in rows.receivables) == int(str(due["n"]))


KINDS = st.sampled_from(
    [
        {"type": "debit"},
        {"type": "credit"},
        {"type": "debit", "state": "pending"},
        {"type": "credit", "state": "reversed"},
        {"type": "adjustment", "reason": "refund"},
        {"type": "adjustment", "reason": "dispute_funds_withdrawn"},
        {"type": "adjustment", "reason": "dispute_funds_reinstated"},
    ]
)
ENTRIES = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 500), KINDS), max_size=12)


@settings(max_examples=25, deadline=None)
@given(entries=ENTRIES)
def test_any_account_ages_as_by_hand(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[int, int, dict[str, str]]]
) -> None:
    """Whatever an account holds, SQL over all accounts and a walk over one agree."""
    folder = tmp_path_factory.mktemp("aged")
    items = [
        entry("USER#u1", day * DAY + number, amount, **kind)
        for number, (day, amount, kind) in enumerate(entries)
    ]
    capture = write_capture(folder / "items.jsonl", [*items, balance("USER#u1")])
    with open_books(read_captures([capture], folder / "snapshot")) as books:
        compared_by_hand(books, EPOCH + timedelta(seconds=START + 150 * DAY))


@pytest.mark.parametrize("text", ["", "30,", "30,20", "0,30", "a", "30,30", "-1", "1.5", "²"])
def test_buckets_that_do_not_rise_are_refused(text: str) -> None:
    """The message shows what to give."""
    with pytest.raises(InputError, match="30,60,90"):
        bucket_days(text)


def test_buckets_are_named_by_their_days() -> None:
    """The names begin and end where the buckets do."""
    assert bucket_days("15, 45") == (15, 45)
    assert bucket_labels((15, 45)) == ("current", "1-15", "16-45", "45+")
