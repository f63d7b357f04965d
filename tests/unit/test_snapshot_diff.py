"""Comparing snapshots: what was added, removed and changed, and which of it is an alarm."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from opskit.errors import CaptureError
from opskit.read.capture import read_captures
from opskit.read.difference import Change, snapshot_difference
from opskit.read.snapshot import Snapshot, open_snapshot
from opskit.tables.items import KindName

Item = dict[str, dict[str, Any]]


def entry(number: int, **changes: dict[str, str]) -> Item:
    """One entry."""
    return {
        "pk": {"S": "USER#1"},
        "sk": {"S": f"LEDGER#{number}"},
        "entry_id": {"S": str(number)},
        "ts": {"N": "1700000000"},
        "type": {"S": "debit"},
        "amount_cents": {"N": "100"},
        "state": {"S": "pending"},
        "reason": {"S": "usage"},
        **changes,
    }


def odd(text: str) -> Item:
    """An item that no rule names."""
    return {"pk": {"S": "USER#1"}, "sk": {"S": "odd"}, "note": {"S": text}}


def taken(folder: Path, items: list[Item]) -> Snapshot:
    """A snapshot of items."""
    folder.mkdir()
    lines = "".join(json.dumps({"Item": item}) + "\n" for item in items)
    (folder / "items.jsonl").write_text(lines, "utf-8")
    return read_captures([folder / "items.jsonl"], folder / "snapshot")


def differences(tmp_path: Path, before: list[Item], after: list[Item]) -> set[tuple[Any, ...]]:
    """Every listed difference of two lists of items."""
    found = snapshot_difference(taken(tmp_path / "a", before), taken(tmp_path / "b", after))
    return {
        (one.kind, one.change, one.sk, one.columns, one.alarm)
        for kind in found
        for one in kind.listed
    }


def test_the_same_items_do_not_differ(tmp_path: Path) -> None:
    """The order of items is no difference."""
    items = [entry(1), entry(2), odd("x")]
    assert differences(tmp_path, items, items[::-1]) == set()


@pytest.mark.parametrize(
    ("changes", "columns", "alarm"),
    [
        ({"state": {"S": "settled"}}, ("state",), False),
        ({"amount_cents": {"N": "101"}}, ("amount_cents",), True),
        ({"type": {"S": "credit"}}, ("type",), True),
        ({"reason": {"S": "refund"}}, ("reason",), True),
        ({"stripe_charge_id": {"S": "ch_1"}}, ("stripe_charge_id",), False),
    ],
)
def test_a_changed_entry(
    tmp_path: Path, changes: Item, columns: tuple[str, ...], alarm: object
) -> None:
    """The columns that changed are named; those that never change raise the alarm."""
    found = differences(tmp_path, [entry(1), entry(2)], [entry(1), entry(2, **changes)])
    assert found == {(KindName.ENTRIES, Change.CHANGED, "LEDGER#2", columns, alarm)}


def test_a_vanished_entry_is_an_alarm_and_a_new_one_is_not(tmp_path: Path) -> None:
    """Entries are only ever added."""
    assert differences(tmp_path, [entry(1), entry(2)], [entry(2), entry(3)]) == {
        (KindName.ENTRIES, Change.REMOVED, "LEDGER#1", (), True),
        (KindName.ENTRIES, Change.ADDED, "LEDGER#3", (), False),
    }


def test_what_has_no_kind_is_compared_whole(tmp_path: Path) -> None:
    """An unclassified item that changed is one removed and one added."""
    assert differences(tmp_path, [odd("x")], [odd("y")]) == {
        (KindName.UNCLASSIFIED, Change.REMOVED, "odd", (), False),
        (KindName.UNCLASSIFIED, Change.ADDED, "odd", (), False),
    }


def opskit(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    code = "import sys; from opskit.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_command_line_takes_verifies_and_compares(tmp_path: Path) -> None:
    """`snapshot` still takes one; its commands answer by their exit status."""
    for name, items in (("a", [entry(1)]), ("b", [entry(1, amount_cents={"N": "7"})])):
        capture = tmp_path / f"{name}.jsonl"
        capture.write_text("".join(json.dumps({"Item": item}) + "\n" for item in items))
        done = opskit("snapshot", "--out", tmp_path / name, "--from-items", capture)
        assert (done.returncode, done.stdout.split()[0]) == (0, "COMPLETE")
    assert opskit("snapshot", "verify", tmp_path / "a").returncode == 0
    same = opskit("snapshot", "diff", tmp_path / "a", tmp_path / "a")
    assert (same.returncode, same.stdout) == (0, "the same items\n")
    other = opskit("snapshot", "diff", tmp_path / "a", tmp_path / "b")
    assert other.returncode == 1
    assert "ALARM changed  USER#1 LEDGER#1  amount_cents" in other.stdout
    answer = json.loads(opskit("snapshot", "diff", tmp_path / "a", tmp_path / "b", "--json").stdout)
    assert (answer["same"], answer["alarms"]) == (False, 1)
    (tmp_path / "b/entries.parquet").write_bytes(b"other")
    assert opskit("snapshot", "verify", tmp_path / "b").returncode == 2
    with pytest.raises(CaptureError, match="not the file that was written"):
        open_snapshot(tmp_path / "b")


@pytest.mark.parametrize("segments", ["0", "-1", "1.5", "1000001"])
def test_bad_segments_are_one_line(tmp_path: Path, segments: str) -> None:
    """A wrong number of segments is refused in one line before anything is sent."""
    done = opskit("snapshot", "--out", tmp_path / "a", "--segments", segments)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "a").exists()
