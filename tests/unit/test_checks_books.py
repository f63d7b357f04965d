"""Every check, over books that pass it and books that fail it."""

import json
import re
from pathlib import Path

import pytest

from opskit.audit.check import load_checks
from opskit.audit.report import AuditReport, Outcome
from opskit.audit.run import audit_snapshot
from opskit.present.evidence import facts
from opskit.read.capture import read_captures
from tests.captures import write_capture
from tests.plain_books import PlainBooks, read_books

BOOKS = Path(__file__).parents[1] / "books"
ONE_OF_MANY = re.compile(r"\b1 (?!is|was|has)[a-z]+s\b|\b1 \w+ (have|are|were)\b")
FILES = sorted(path.relative_to(BOOKS) for path in BOOKS.glob("*/*.jsonl"))


def audited(books: PlainBooks, folder: Path) -> AuditReport:
    """The audit of plain books."""
    capture = write_capture(folder / "books.jsonl", books.items)
    snapshot = read_captures([capture], folder / "snapshot")
    return audit_snapshot(snapshot, as_of=books.as_of, parameters=books.parameters)


@pytest.mark.parametrize("file", FILES, ids=str)
def test_books_raise_what_is_written_beside_them(file: Path, tmp_path: Path) -> None:
    """Books that pass raise nothing; books that fail raise exactly what they list."""
    check, books = file.parent.name, read_books(BOOKS / file)
    report = audited(books, tmp_path)
    raised = {(f.check, f.account, f.key) for f in report.findings}
    raised |= {(f.check, f.account, f.key) for f in report.observations if f.check == check}
    assert raised == books.finds
    [result] = [result for result in report.results if result.id == check]
    if file.stem.startswith("pass"):
        assert not books.finds
        assert result.outcome is Outcome.PASSED, result.reason
    else:
        assert any(found[0] == check for found in books.finds)
    assert Outcome.ERRORED not in {result.outcome for result in report.results}
    said = [found.condition for found in (*report.findings, *report.observations)]
    said += [result.reason for result in report.results]
    assert [text for text in said if ONE_OF_MANY.search(text)] == []


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("states.disputes_in_order/fail.jsonl", {"withdrawn", "reinstated"}),
        ("balances.credit_within_limit/fail.jsonl", {"paid towards balance"}),
    ],
)
def test_amounts_among_the_evidence_read_as_money(
    file: str, names: set[str], tmp_path: Path
) -> None:
    """What a check names in its own words is shown as money: with its currency, or without one."""
    report = audited(read_books(BOOKS / file), tmp_path)
    shown = {fact.label: fact.value for found in report.findings for fact in facts(found)}
    money = re.compile(r"-?[\d,]+(\.\d\d [A-Z]{3}| minor units)")
    assert {name for name in names if money.fullmatch(shown.get(name, ""))} == names, shown


@pytest.mark.parametrize("check", [check.id for check in load_checks()])
def test_a_check_has_books_that_pass_and_books_that_fail(check: str) -> None:
    """No check is without a fixture of either kind."""
    stems = {path.stem.split("_")[0] for path in (BOOKS / check).glob("*.jsonl")}
    assert stems == {"pass", "fail"}


def test_books_are_of_checks_that_exist() -> None:
    """No folder of books outlives its check."""
    assert {path.parts[0] for path in FILES} <= {check.id for check in load_checks()}


def test_books_are_small_enough_to_check_by_hand() -> None:
    """A file has a few lines, each one JSON object."""
    for file in FILES:
        lines = (BOOKS / file).read_text().splitlines()
        assert len(lines) <= 60, file
        assert all(isinstance(json.loads(line), dict) for line in lines), file
