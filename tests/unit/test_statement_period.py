"""A statement over a period opens and closes with what the entries before its ends add up to."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from opskit.cli import cli
from opskit.errors import InputError
from opskit.ledger.books import Books, open_books
from opskit.ledger.counters import Counters
from opskit.ledger.period import Period, period_between
from opskit.ledger.statement import EPOCH, Statement, account_statement
from opskit.read.capture import read_captures
from tests.captures import Item, balance, entry, write_capture

DATA = Path(__file__).parents[1] / "data" / "billing-capture"
FILES = [DATA / "billing.jsonl.gz", DATA / "billing_ccbill.jsonl.gz"]
AS_OF = datetime(2026, 12, 1, tzinfo=UTC)
FIRST = EPOCH + timedelta(seconds=1_770_000_001)
ITEMS = [
    entry("USER#u1", 1, 1000),
    entry("USER#u1", 2, 600, type="credit", reason="charge_once"),
    entry("USER#u1", 3, 150, state="pending"),
    balance("USER#u1", owed_settled=1000, owed_pending=150, payments_settled=600),
]


def statement_of(tmp_path: Path, period: Period, items: list[Item] = ITEMS) -> Statement:
    """The statement of u1 over a period."""
    capture = write_capture(tmp_path / "items.jsonl", items)
    with open_books(read_captures([capture], tmp_path / "snapshot")) as books:
        return account_statement(books, "u1", as_of=AS_OF, period=period)


def run(*arguments: str) -> Result:
    """The command line's answer."""
    return CliRunner().invoke(cli, ["statement", *arguments, "--as-of", "2026-12-01"])


def test_the_start_is_in_the_period_and_the_end_is_not(tmp_path: Path) -> None:
    """An entry at the start is a line; an entry at the end is in the next period."""
    second = FIRST + timedelta(seconds=1)
    statement = statement_of(tmp_path, Period(second, second + timedelta(seconds=1)))
    assert [line.credit for line in statement.lines] == [600]
    assert statement.opening == Counters(owed_settled=1000)
    assert statement.computed == Counters(owed_settled=1000, payments_settled=600)


def test_a_closed_period_is_not_tied_to_the_counters_of_now(tmp_path: Path) -> None:
    """A past closing differs from what is stored now, and that is no fault."""
    statement = statement_of(tmp_path, Period(None, FIRST + timedelta(seconds=1)))
    assert statement.computed != statement.stored
    assert not statement.is_tied
    assert statement.exit_code == 0


def test_an_open_period_is_tied_whatever_its_start(tmp_path: Path) -> None:
    """Opening and lines together are what is stored."""
    statement = statement_of(tmp_path, Period(FIRST + timedelta(seconds=2), None))
    assert statement.is_tied
    assert statement.computed == statement.stored
    assert [line.running_pending for line in statement.lines] == [150]


def test_an_entry_without_a_time_makes_a_period_unjudged(tmp_path: Path) -> None:
    """It could lie on either side of a bound, so that a bounded statement says so."""
    odd = entry("USER#u1", 9, 70) | {"ts": {"S": "soon"}}
    bounded = statement_of(tmp_path, Period(FIRST, None), [*ITEMS, odd])
    assert "time cannot be read" in bounded.unjudged
    assert bounded.exit_code == 3


def accounts_of(books: Books) -> list[str]:
    """Every account of some books."""
    return [str(row["account"]) for row in books.rows("SELECT account FROM accounts")]


def test_periods_that_meet_carry_every_closing_over(tmp_path: Path) -> None:
    """On the captured books the closing of a period is the opening of the next, to the end."""
    middle = datetime(2026, 11, 1, tzinfo=UTC)
    with open_books(read_captures(FILES, tmp_path / "snapshot")) as books:
        for account in accounts_of(books)[::9]:
            parts = [
                account_statement(books, account, as_of=AS_OF, period=period)
                for period in (Period(None, middle), Period(middle, None), Period())
            ]
            assert parts[0].computed == parts[1].opening
            assert parts[1].computed == parts[2].computed
            assert len(parts[0].lines) + len(parts[1].lines) == len(parts[2].lines)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "2026-02-31"], "is not a date"),
        (["--to", "1770000000000"], "is not a date"),
        (["--to", "17961201230000"], "is not a date"),
        (["--from", "yesterday"], "is not a date"),
        (["--from", "0001-01-01T00:00:00+14:00"], "is not a date"),
        (["--from", "2026-03-01", "--to", "2026-02-01"], "swap"),
        (["--from", "2026-03-01", "--to", "2026-03-01"], "is empty"),
    ],
)
def test_a_bad_period_is_one_line(arguments: list[str], said: str) -> None:
    """Whatever is wrong with a date, the message names the option and what to give."""
    answer = run("u1", "--from-items", str(FILES[0]), *arguments)
    assert isinstance(answer.exception, InputError)
    assert answer.exception.exit_code == 2
    assert said in str(answer.exception)
    assert "\n" not in str(answer.exception)


def test_a_period_is_shown_and_written(tmp_path: Path) -> None:
    """Text, JSON, page and CSV name the period, its opening and that it is restated."""
    capture = write_capture(tmp_path / "items.jsonl", ITEMS)
    page, table = tmp_path / "s.html", tmp_path / "s.csv"
    command = ["u1", "--from-items", str(capture), "--from", "2026-02-02", "--to", "2026-12-01"]
    text = run(*command, "--html", str(page), "--csv", str(table)).stdout
    assert "as now restated" in text
    assert "opening balance" in text
    document = json.loads(run(*command, "--json").stdout)
    assert document["period"] == {
        "from": "2026-02-02T00:00:00Z",
        "to": "2026-12-01T00:00:00Z",
        "restated": True,
    }
    assert document["difference"] is None
    assert page.read_text().startswith("<!doctype html>")
    assert table.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(table.read_text("utf-8-sig"))))
    assert rows[0]["reason"] == "opening balance"


def test_a_period_is_made_of_two_instants_in_order() -> None:
    """An open side stays open, and equal instants leave nothing between them."""
    assert period_between(FIRST, None).is_open
    assert period_between(None, FIRST).bounds == (None, 1_770_000_001)
    with pytest.raises(InputError, match="is empty"):
        period_between(FIRST, FIRST)
