"""A statement shows what the entries add up to, line by line, beside what is stored."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from opskit.errors import InputError
from opskit.ledger.books import open_books
from opskit.ledger.counters import Counters
from opskit.ledger.statement import Statement, account_statement
from opskit.read.capture import read_captures
from tests.captures import Item, balance, entry, payment, write_capture

AS_OF = datetime(2026, 12, 1, tzinfo=UTC)
DEBIT = entry("USER#u1", 1, 1000)
PAID = entry("USER#u1", 2, 600, type="credit", reason="charge_once")
PENDING = entry("USER#u1", 3, 150, state="pending")
REFUND = entry("USER#u1", 4, 100, type="adjustment", reason="refund")
UNDONE = entry("USER#u1", 5, 999, type="credit", state="reversed")
ITEMS = [
    REFUND,
    UNDONE,
    PENDING,
    PAID,
    DEBIT,
    balance("USER#u1", owed_settled=1100, owed_pending=150, payments_settled=550),
    payment("USER#u1", 1, 600, PAID["sk"]["S"]),
]


def statement_of(tmp_path: Path, items: list[Item], account: str = "u1") -> Statement:
    """The statement of an account from a capture of these items."""
    capture = write_capture(tmp_path / "items.jsonl", items)
    with open_books(read_captures([capture], tmp_path / "snapshot")) as books:
        return account_statement(books, account, as_of=AS_OF)


def test_each_line_carries_the_balances_after_it(tmp_path: Path) -> None:
    """Entries come in order of time, and each shows what is due, settled and pending."""
    lines = statement_of(tmp_path, ITEMS).lines
    shown = [(x.debit, x.credit, x.running_settled, x.running_pending) for x in lines]
    assert shown == [
        (1000, 0, 1000, 0),
        (0, 600, 400, 0),
        (150, 0, 400, 150),
        (100, 0, 500, 150),
        (0, 0, 500, 150),
    ]


def test_the_closing_balance_is_tied_to_the_stored_counters(tmp_path: Path) -> None:
    """The difference is stored less computed, counter by counter, and sets the exit status."""
    statement = statement_of(tmp_path, ITEMS)
    assert statement.computed == Counters(150, 1100, 0, 600)
    assert statement.difference.nonzero() == {"payments_settled": -50}
    assert statement.exit_code == 1
    assert statement.currency == "USD"
    assert statement.payments[0]["ledger_sk"] == PAID["sk"]["S"]


@pytest.mark.parametrize("name", ["u1", "USER#u1"])
def test_an_account_is_found_by_user_id_or_stored_key(tmp_path: Path, name: str) -> None:
    """The user id and the partition key as stored name the same account."""
    assert statement_of(tmp_path, ITEMS, name).account == "USER#u1"


def test_an_unknown_account_is_refused_by_name(tmp_path: Path) -> None:
    """The message names the account that is not there."""
    with pytest.raises(InputError, match="'nobody' is not in"):
        statement_of(tmp_path, ITEMS, "nobody")


def test_a_user_id_in_both_layouts_must_be_given_as_stored(tmp_path: Path) -> None:
    """A bare id that both layouts hold means the one stored so; the other takes its full key."""
    bare = {name: value for name, value in DEBIT.items() if name != "pk"}
    items = [*ITEMS, bare | {"user_sub": {"S": "u1"}}]
    assert statement_of(tmp_path, items, "u1").account == "u1"
    with open_books(read_captures([tmp_path / "items.jsonl"], tmp_path / "again")) as books:
        assert account_statement(books, "USER#u1", as_of=AS_OF).account == "USER#u1"


def test_an_entry_without_a_rule_is_shown_and_not_counted(tmp_path: Path) -> None:
    """The line says why it moves nothing, and the statement that it cannot be judged."""
    odd = entry("USER#u1", 6, 42, type="adjustment", reason="goodwill")
    statement = statement_of(tmp_path, [*ITEMS, odd])
    assert statement.lines[-1].note.startswith("no posting rule")
    assert statement.unjudged
    assert statement.exit_code == 3
