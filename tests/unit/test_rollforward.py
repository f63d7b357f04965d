"""The books roll forward: what they opened with and what moved them is what they close with."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from opskit.audit.ledger_report import LedgerReport, ledger_report
from opskit.cli import cli
from opskit.ledger.continuity import Change
from opskit.ledger.counters import Counters
from opskit.ledger.period import Period
from opskit.ledger.statement import EPOCH
from opskit.present import books_csv, books_json, books_page, books_text
from opskit.read.capture import read_captures
from opskit.read.snapshot import Snapshot
from tests.captures import Item, balance, entry, write_capture

DATA = Path(__file__).parents[1] / "data" / "billing-capture"
FILES = [DATA / "billing.jsonl.gz", DATA / "billing_ccbill.jsonl.gz"]
AS_OF = datetime(2026, 12, 1, tzinfo=UTC)
FIRST = EPOCH + timedelta(seconds=1_770_000_001)
DEBIT = entry("USER#u1", 1, 1000)
PENDING = entry("USER#u1", 2, 300, state="pending")
PAID = entry("USER#u1", 3, 600, type="credit", reason="charge_once")
REFUND = entry("USER#u1", 4, 100, type="adjustment", reason="refund")
STORED = balance("USER#u1", owed_settled=1100, owed_pending=300, payments_settled=600)


def snapshot_of(folder: Path, items: list[Item], name: str = "now") -> Snapshot:
    """A snapshot of a few items."""
    capture = write_capture(folder / f"{name}.jsonl", items)
    return read_captures([capture], folder / name)


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A snapshot of both captures."""
    return read_captures(FILES, tmp_path_factory.mktemp("books") / "snapshot")


@pytest.fixture(scope="module")
def whole(taken: Snapshot) -> LedgerReport:
    """The captured books, open-ended."""
    return ledger_report(taken, as_of=AS_OF)


def test_opening_and_movements_are_the_closing(tmp_path: Path) -> None:
    """A period opens with what came before it and shows each movement by its reason."""
    now = snapshot_of(tmp_path, [DEBIT, PENDING, PAID, REFUND, STORED])
    period = Period(FIRST + timedelta(seconds=1), None)
    [rolled] = ledger_report(now, as_of=AS_OF, period=period).roll_forward
    assert rolled.opening == Counters(owed_settled=1000)
    assert [(move.kind, move.reason) for move in rolled.movements] == [
        ("debit", ""),
        ("credit", ""),
        ("adjustment", "refund"),
    ]
    assert rolled.closing == rolled.stored == Counters(300, 1100, 0, 600)


def test_periods_of_the_capture_carry_over(taken: Snapshot, whole: LedgerReport) -> None:
    """Month by month each closing is the next opening, and the last is the whole."""
    ends = [datetime(2026, month, 1, tzinfo=UTC) for month in (5, 7, 9, 11)]
    bounds = zip([None, *ends], [*ends, None], strict=True)
    parts = [
        ledger_report(taken, as_of=AS_OF, period=Period(start, end)).roll_forward[0]
        for start, end in bounds
    ]
    for earlier, later in pairwise(parts):
        assert earlier.closing == later.opening
    assert parts[-1].closing == whole.roll_forward[0].closing
    assert [part.stored is None for part in parts] == [True] * 4 + [False]


def test_control_accounts_split_every_difference(whole: LedgerReport) -> None:
    """Explained and unexplained parts are the whole difference, as the roll-forward has it."""
    [rolled] = whole.roll_forward
    assert rolled.difference is not None
    for control, difference in zip(whole.control, rolled.difference.values(), strict=True):
        assert control.difference == difference
        assert control.explained + control.unexplained == control.difference
        assert sum(part.amount for part in control.by_class) == control.difference
        assert control.gross >= abs(control.difference)
    assert whole.exit_code == 1


def test_unexplained_drift_stays_unexplained(tmp_path: Path) -> None:
    """A drift that no posting accounts for is not spread over anything."""
    now = snapshot_of(tmp_path, [DEBIT, balance("USER#u1", owed_settled=1777)])
    [settled] = [c for c in ledger_report(now, as_of=AS_OF).control if c.counter == "owed_settled"]
    assert (settled.explained, settled.unexplained) == (0, 777)


def test_drifts_that_cancel_out_are_still_seen(tmp_path: Path) -> None:
    """Totals that agree because two accounts are wrong by as much are no agreement."""
    other = [entry("USER#u2", 1, 1000), balance("USER#u2", owed_settled=1500)]
    now = snapshot_of(tmp_path, [DEBIT, balance("USER#u1", owed_settled=500), *other])
    found = ledger_report(now, as_of=AS_OF)
    [settled] = [control for control in found.control if control.counter == "owed_settled"]
    assert (settled.difference, settled.gross, settled.accounts) == (0, 1000, 2)
    assert not found.agrees


def test_what_may_be_half_a_write_is_neither_explained_nor_unexplained(tmp_path: Path) -> None:
    """Drift of an account written to just now is a part of its own, and settles nothing."""
    now = snapshot_of(tmp_path, [DEBIT, balance("USER#u1", owed_settled=0)])
    found = ledger_report(now, as_of=FIRST + timedelta(seconds=30))
    [settled] = [control for control in found.control if control.counter == "owed_settled"]
    assert (settled.difference, settled.unconfirmed) == (-1000, -1000)
    assert (settled.explained, settled.unexplained, settled.gross) == (0, 0, 0)
    assert (found.agrees, found.is_whole, found.exit_code) == (True, False, 3)
    text = " ".join(books_text(found).split())
    assert "THE BOOKS TIE, AS FAR AS THEY COULD BE JUDGED" in text
    assert "Not confirmed: the differences of accounts that were written to shortly before" in text
    assert books_json(found)["control"][1]["unconfirmed"] == -1000  # type: ignore[index]
    settled_later = ledger_report(now, as_of=AS_OF)
    assert (settled_later.exit_code, settled_later.unconfirmed) == (1, 0)


def test_the_earlier_closing_is_the_opening(tmp_path: Path) -> None:
    """New entries and changes of state lead from the earlier closing to this one."""
    earlier = snapshot_of(tmp_path, [DEBIT, PENDING, STORED], "earlier")
    settled = PENDING | {"state": {"S": "settled"}}
    now = snapshot_of(tmp_path, [DEBIT, settled, PAID, STORED])
    found = ledger_report(now, as_of=AS_OF, previous=earlier).continuity
    assert found is not None
    [one] = found.currencies
    assert {change.change for change in one.changes} == {Change.SETTLED, Change.POSTED}
    assert one.opening == Counters(owed_pending=300, owed_settled=1000)
    assert one.closing == Counters(owed_settled=1300, payments_settled=600)
    assert found.goes_on


def test_what_rewrites_an_earlier_period_is_listed(tmp_path: Path) -> None:
    """Entries that are gone, altered or backdated are named, with what they move."""
    earlier = snapshot_of(tmp_path, [DEBIT, PENDING, PAID, STORED], "earlier")
    altered = DEBIT | {"amount_cents": {"N": "1001"}}
    backdated = entry("USER#u1", 0, 5)
    now = snapshot_of(tmp_path, [altered, PAID, backdated, STORED])
    report = ledger_report(now, as_of=AS_OF, previous=earlier)
    found = report.continuity
    assert found is not None
    assert {(one.sk, one.change) for one in found.restated} == {
        (DEBIT["sk"]["S"], Change.ALTERED),
        (PENDING["sk"]["S"], Change.DELETED),
        (backdated["sk"]["S"], Change.BACKDATED),
    }
    [one] = found.currencies
    moved = sum((entry.effect for entry in found.restated), start=Counters())
    assert one.opening + moved == one.closing
    assert found.restatements == 3
    assert not report.agrees
    assert "Prior period restated" in books_text(report)


def test_the_csv_holds_what_was_restated(tmp_path: Path) -> None:
    """Each entry that rewrites the earlier period is there with its effect, and what moved."""
    earlier = snapshot_of(tmp_path, [DEBIT, PENDING, PAID, STORED], "earlier")
    bigger = DEBIT | {"amount_cents": {"N": "1250"}}
    renamed = PENDING | {"reason": {"S": "gift"}}
    now = snapshot_of(tmp_path, [bigger, renamed, STORED])
    report = ledger_report(now, as_of=AS_OF, previous=earlier)
    rows = list(csv.DictReader(io.StringIO(books_csv(report))))
    restated = [row for row in rows if row["report"] == "restated" and row["account"]]
    assert {row["line"] for row in restated} == {item["sk"]["S"] for item in (DEBIT, PENDING, PAID)}
    amounts = {(row["line"], row["column"]): int(row["minor_units"]) for row in restated}
    assert amounts[DEBIT["sk"]["S"], "owed_settled"] == 250
    assert amounts[PAID["sk"]["S"], "payments_settled"] == -600
    [note] = {row["note"] for row in restated if row["line"] == PENDING["sk"]["S"]}
    assert note.startswith("altered: was debit pending usage of 3.00 USD at 2026-02-02T02:40:02Z")
    [counted] = [row for row in rows if (row["report"], row["account"]) == ("restated", "")]
    assert (counted["line"], counted["minor_units"]) == ("entries", "3")
    moved = [
        row for row in rows if row["report"] == "continuity" and row["column"] == "owed_settled"
    ]
    assert moved[0]["line"] == "earlier closing"
    assert moved[-1]["line"] == "closing now"
    assert sum(int(row["minor_units"]) for row in moved[:-1]) == int(moved[-1]["minor_units"])


def test_a_list_that_is_cut_does_not_promise_the_rest(tmp_path: Path) -> None:
    """Where not every restated entry is kept, the note says how many the files hold."""
    earlier = snapshot_of(tmp_path, [DEBIT], "earlier")
    report = ledger_report(snapshot_of(tmp_path, [PENDING]), as_of=AS_OF, previous=earlier)
    assert report.continuity is not None
    many = replace(report.continuity, restatements=5_000)
    text = " ".join(books_text(replace(report, continuity=many)).split())
    assert f"the CSV and the JSON hold the first {len(many.restated)} of 5,000" in text


def test_settled_back_to_pending_is_a_restatement(tmp_path: Path) -> None:
    """A state that goes backwards rewrites what was closed."""
    earlier = snapshot_of(tmp_path, [DEBIT], "earlier")
    now = snapshot_of(tmp_path, [DEBIT | {"state": {"S": "pending"}}])
    found = ledger_report(now, as_of=AS_OF, previous=earlier).continuity
    assert found is not None
    assert [one.change for one in found.restated] == [Change.ALTERED]


def test_accounts_that_cannot_be_judged_are_left_out_and_counted(tmp_path: Path) -> None:
    """No total holds them, the report names them, and it is not whole."""
    odd = entry("USER#u2", 1, 70, type="adjustment", reason="goodwill")
    now = snapshot_of(tmp_path, [DEBIT, odd, balance("USER#u1", owed_settled=1000)])
    found = ledger_report(now, as_of=AS_OF)
    assert found.unjudged == ("USER#u2",)
    assert found.roll_forward[0].closing == Counters(owed_settled=1000)
    assert (found.agrees, found.exit_code) == (True, 3)
    assert "1 account that could not be judged" in books_text(found)


def test_the_population_is_proved(whole: LedgerReport) -> None:
    """Parts, files and kinds of the capture add up to its 2,881 items, with their first keys."""
    found = whole.population
    assert found.is_proved
    assert found.items == 2881
    kinds = {kind.kind: kind for kind in found.kinds}
    assert kinds["entries"].held == 1137
    assert kinds["balances"].first < kinds["balances"].last
    assert [part.items for part in found.parts] == [1911, 970]


def test_currencies_are_never_added_together(tmp_path: Path) -> None:
    """Each currency has a roll-forward and control accounts of its own."""
    euro = balance("USER#u2", owed_settled=7) | {"currency": {"S": "eur"}}
    now = snapshot_of(
        tmp_path, [DEBIT, balance("USER#u1", owed_settled=1000), entry("USER#u2", 1, 7), euro]
    )
    found = ledger_report(now, as_of=AS_OF)
    closings = {one.currency: one.closing.owed_settled for one in found.roll_forward}
    assert closings == {"EUR": 7, "USD": 1000}
    assert {control.currency for control in found.control} == {"EUR", "USD"}


def run(*arguments: str) -> Result:
    """The command line's answer about both captures."""
    return CliRunner().invoke(
        cli, ["books", "--as-of", "2026-12-01", *arguments, "--from-items", *map(str, FILES)]
    )


def test_the_command_shows_and_writes_the_books(tmp_path: Path) -> None:
    """Text, JSON, page and CSV hold the same figures."""
    page, table = tmp_path / "b.html", tmp_path / "b.csv"
    shown = run("--html", str(page), "--csv", str(table))
    assert shown.exit_code == 1
    assert "ROLL-FORWARD IN USD" in shown.stdout
    document = json.loads(run("--json").stdout)
    closing = document["roll_forward"][0]["closing"]
    rows = list(csv.DictReader(io.StringIO(table.read_text("utf-8-sig"))))
    in_csv = {
        row["column"]: int(row["minor_units"])
        for row in rows
        if (row["report"], row["line"]) == ("roll_forward", "closing")
    }
    assert in_csv == closing
    assert document["population"]["proved"] is True
    html = page.read_text()
    assert html.startswith("<!doctype html>")
    assert "<script" not in html
    assert "http" not in html.replace("http-equiv", "")


def test_hostile_text_is_text_on_the_page(tmp_path: Path) -> None:
    """Markup and escapes in an account and a reason stay text in every rendering."""
    bad = entry("USER#<script>alert(1)</script>\x1b[2J", 1, 5, type="adjustment", reason="refund")
    found = ledger_report(snapshot_of(tmp_path, [bad]), as_of=AS_OF)
    assert "<script>alert" not in books_page(found)
    assert "\x1b" not in books_text(found)
    assert books_json(found)["agrees"] is False


@pytest.mark.parametrize(
    "arguments", [["--from", "2026-02-31"], ["--buckets", "9,3"], ["--previous", "nowhere"]]
)
def test_a_bad_option_is_one_line(arguments: list[str]) -> None:
    """What is wrong is named, with exit status 2."""
    outcome = run(*arguments)
    assert outcome.exception is not None
    assert getattr(outcome.exception, "exit_code", None) == 2
    assert "\n" not in str(outcome.exception)
