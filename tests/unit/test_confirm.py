"""Confirming: a fault is FAILED only when two reads of a still account show it."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from captures import Item, balance, entry, write_capture

from opskit.audit.check import load_checks
from opskit.audit.confirm import Confirmed, LiveBooks, confirm
from opskit.audit.report import Outcome, Verdict
from opskit.audit.reread import Pages, Stillness, fingerprint, last_write
from opskit.audit.run import audit_snapshot
from opskit.errors import AccessError
from opskit.read.capture import read_captures
from opskit.read.decode import decode_items

DRIFT = "balances.stored_equals_entries"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
WINDOW = 120


class Clock:
    """A clock that only sleeping moves, with things that happen while others sleep."""

    def __init__(self) -> None:
        self.now = NOW
        self.slept: list[float] = []
        self.meanwhile: Callable[[int], None] = lambda _: None

    def sleep(self, seconds: float) -> None:
        """Let the time pass, and whatever happens in it."""
        self.now += timedelta(seconds=seconds)
        self.slept.append(seconds)
        self.meanwhile(len(self.slept))


class Table:
    """A table of accounts that writers change between reads."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.items = {(item["pk"]["S"], item["sk"]["S"]): item for item in items}
        self.reads: list[str] = []

    def put(self, item: Item) -> None:
        """Write an item, as the service does: one at a time."""
        self.items[item["pk"]["S"], item["sk"]["S"]] = item

    def read(self, account: str) -> Pages:
        """An account's partition in two pages, the second empty."""
        self.reads.append(account)
        held = [item for (owner, _), item in self.items.items() if owner == account]
        return (decode_items(json.dumps(held).encode()), decode_items(b"[]"))


@pytest.fixture
def clock() -> Clock:
    """A clock at an invented now."""
    return Clock()


def confirmed(table: Table, clock: Clock, tmp_path: Path, **more: int) -> Confirmed:
    """The table's audit, confirmed."""
    capture = write_capture(tmp_path / "capture.jsonl", table.items.values())
    checks = load_checks()
    live = LiveBooks(read_captures([capture], tmp_path / "first"), table.read, tmp_path / "again")
    stillness = Stillness(WINDOW, clock.sleep, lambda: clock.now, **more)
    return confirm(
        live,
        checks,
        lambda snapshot: audit_snapshot(
            snapshot, as_of=NOW, checks=checks, parameters={"settle_window": "0"}
        ),
        stillness,
    )


def outcomes(answer: Confirmed, check: str = DRIFT) -> dict[str, Outcome]:
    """How each finding of a check ended, by account."""
    return {f.account: f.outcome for f in answer.report.findings if f.check == check}


def test_a_fault_in_a_still_account_is_failed_with_both_reads(clock: Clock, tmp_path: Path) -> None:
    """Two equal reads a window apart are the evidence; an account in order is not read again."""
    table = Table(
        [
            *(entry("USER#wrong", 1, 500), balance("USER#wrong", owed_settled=400)),
            *(entry("USER#right", 2, 500), balance("USER#right", owed_settled=500)),
        ]
    )
    answer = confirmed(table, clock, tmp_path)
    [finding] = [f for f in answer.report.findings if f.check == DRIFT]
    first, second = finding.rereads
    assert finding.outcome is Outcome.FAILED
    assert answer.report.verdict is Verdict.FINDINGS
    assert first.fingerprint == second.fingerprint
    assert len(first.fingerprint) == 64
    assert (first.items, second.items) == (2, 2)
    assert second.at - first.at == timedelta(seconds=WINDOW)
    assert set(table.reads) == {"USER#wrong"}
    assert clock.slept == [WINDOW]


def test_a_table_at_rest_is_judged_once(clock: Clock, tmp_path: Path) -> None:
    """Where every account is as it was read first, nothing is read into new books."""
    table = Table([entry("USER#a", 1, 500), balance("USER#a", owed_settled=400)])
    answer = confirmed(table, clock, tmp_path)
    assert answer.snapshot.path == tmp_path / "first"
    assert not (tmp_path / "again").exists()
    assert outcomes(answer) == {"USER#a": Outcome.FAILED}


def test_reads_do_not_change_a_findings_id(clock: Clock, tmp_path: Path) -> None:
    """A confirmed finding has the id that it has offline, so that runs can be compared."""
    table = Table([entry("USER#a", 1, 500), balance("USER#a", owed_settled=400)])
    answer = confirmed(table, clock, tmp_path)
    offline = audit_snapshot(answer.snapshot, as_of=NOW)
    assert {f.id for f in answer.report.findings} == {f.id for f in offline.findings}


def test_a_posting_finished_between_reads_is_transient(clock: Clock, tmp_path: Path) -> None:
    """What the service completes meanwhile is counted and shown, and the books are clean."""
    table = Table([entry("USER#a", 1, 500), balance("USER#a", owed_settled=0)])
    capture = list(table.items.values())
    table.put(balance("USER#a", owed_settled=500))
    broken = Table(capture)
    broken.read = table.read  # type: ignore[method-assign]
    answer = confirmed(broken, clock, tmp_path)
    assert outcomes(answer) == {"USER#a": Outcome.TRANSIENT}
    assert answer.report.verdict is Verdict.CLEAN
    [result] = [r for r in answer.report.results if r.id == DRIFT]
    assert result.outcome is Outcome.TRANSIENT
    assert all(total.difference == 0 for total in answer.report.control_totals)
    assert "transient: 1" in answer.report.remarks[0]


def test_an_account_that_keeps_moving_is_inconclusive(clock: Clock, tmp_path: Path) -> None:
    """After the last round an account that never lay still is left undecided, in bounded time."""
    table = Table([entry("USER#a", 1, 500), balance("USER#a", owed_settled=400)])
    clock.meanwhile = lambda number: table.put(entry("USER#a", 10 + number, 100))
    answer = confirmed(table, clock, tmp_path, rounds=3)
    assert outcomes(answer) == {"USER#a": Outcome.INCONCLUSIVE}
    assert answer.report.verdict is Verdict.INCONCLUSIVE
    assert answer.report.exit_code == 3
    assert clock.slept == [WINDOW, WINDOW]


def test_a_write_inside_the_window_keeps_an_account_moving(clock: Clock, tmp_path: Path) -> None:
    """Equal reads are not enough while the youngest write is younger than the window."""
    young = balance("USER#a", owed_settled=400)
    young["updated_at"] = {"N": str(int(NOW.timestamp()) + WINDOW - 5)}
    table = Table([entry("USER#a", 1, 500), young])
    answer = confirmed(table, clock, tmp_path)
    [finding] = [f for f in answer.report.findings if f.check == DRIFT]
    assert clock.slept == [WINDOW, WINDOW]
    assert finding.outcome is Outcome.FAILED
    assert finding.rereads[-1].at == NOW + timedelta(seconds=2 * WINDOW)


def test_all_accounts_share_one_wait(clock: Clock, tmp_path: Path) -> None:
    """Thirty accounts at fault take one window, not thirty."""
    items = [entry(f"USER#{n:02}", n, 500) for n in range(30)]
    answer = confirmed(Table(items), clock, tmp_path)
    assert clock.slept == [WINDOW]
    assert set(outcomes(answer).values()) == {Outcome.FAILED}
    assert len(outcomes(answer)) == 30


def test_an_interrupt_leaves_what_is_open_undecided(clock: Clock, tmp_path: Path) -> None:
    """Ctrl-C while waiting ends with a report, in which nothing unconfirmed is called a fault."""

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    clock.meanwhile = interrupt
    table = Table([entry("USER#a", 1, 500), balance("USER#a", owed_settled=400)])
    answer = confirmed(table, clock, tmp_path)
    assert outcomes(answer) == {"USER#a": Outcome.INCONCLUSIVE}
    assert "interrupted" in answer.report.remarks[0]


def test_an_account_that_cannot_be_read_again_is_inconclusive(clock: Clock, tmp_path: Path) -> None:
    """A refused read decides nothing about its account, and the note says why."""
    table = Table([entry("USER#a", 1, 500), entry("USER#b", 2, 700)])
    read = table.read

    def refused(account: str) -> Pages:
        if account == "USER#b":
            raise AccessError("no permission to Query")
        return read(account)

    table.read = refused  # type: ignore[method-assign]
    answer = confirmed(table, clock, tmp_path)
    assert outcomes(answer) == {"USER#a": Outcome.FAILED, "USER#b": Outcome.INCONCLUSIVE}
    assert "no permission to Query" in answer.report.remarks[0]


def test_a_finding_across_accounts_needs_all_of_them_read(clock: Clock, tmp_path: Path) -> None:
    """An id on two accounts' entries stays a fault when both were read again."""
    shared = {"stripe_payment_intent_id": "pi_shared"}
    table = Table([entry("USER#a", 1, 500, **shared), entry("USER#b", 2, 500, **shared)])
    answer = confirmed(table, clock, tmp_path)
    found = outcomes(answer, "entries.unique_processor_id")
    assert set(found.values()) <= {Outcome.FAILED}
    assert {"USER#a", "USER#b"} == set(table.reads)


def test_nothing_at_fault_means_nothing_is_read_again(clock: Clock, tmp_path: Path) -> None:
    """Clean books are confirmed by their one reading."""
    table = Table([entry("USER#a", 1, 500), balance("USER#a", owed_settled=500)])
    answer = confirmed(table, clock, tmp_path)
    assert not table.reads
    assert not clock.slept
    assert answer.report.remarks == ()


def test_a_fingerprint_is_the_content_not_its_order() -> None:
    """Pages cut elsewhere, items in another order: one fingerprint; one cent more: another."""
    items = [entry("USER#a", 1, 500), balance("USER#a", owed_settled=500)]
    odd = {"pk": {"S": "USER#a"}, "sk": {"S": "ODD"}, "x": {"S": "1"}, "y": {"S": "2"}}
    turned = dict(reversed(odd.items()))

    def pages(*of: list[Item]) -> Pages:
        return tuple(decode_items(json.dumps(held).encode()) for held in of)

    one = fingerprint(pages([*items, odd]))
    assert one == fingerprint(pages([turned], items[::-1]))
    assert one != fingerprint(pages([items[0], balance("USER#a", owed_settled=501), odd]))
    assert last_write(pages(items), NOW) == 1_770_000_001
    assert last_write(pages(items), datetime.fromtimestamp(1_769_999_999, UTC)) == 0
