"""The audit as one uses it in a notebook: questions, frames, the books, JUnit, by public names."""

from datetime import UTC, datetime

import pytest

import opskit
from opskit.present.frames import CHECKS, CONTROL_TOTALS, FINDINGS
from tests.captures import balance, entry, write_capture

AS_OF = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> opskit.Snapshot:
    """Two accounts, one of them adrift by a dollar."""
    folder = tmp_path_factory.mktemp("notebook")
    items = [entry("USER#a", 1, 500), balance("USER#a", owed_settled=400)]
    items += [entry("USER#b", 1, 700), balance("USER#b", owed_settled=700)]
    return opskit.read_captures([write_capture(folder / "c.jsonl", items)], folder / "snapshot")


@pytest.fixture(scope="module")
def audit(snapshot: opskit.Snapshot) -> opskit.AuditReport:
    """The audit of it."""
    return opskit.audit_snapshot(snapshot, as_of=AS_OF)


def test_an_audit_answers_sql(audit: opskit.AuditReport, snapshot: opskit.Snapshot) -> None:
    """`audit.sql()` gives a frame over the audited books, and refuses what does not only read."""
    frame = audit.sql("SELECT account, amount_cents FROM entries ORDER BY account")
    assert frame["amount_cents"].tolist() == [500, 700]
    assert str(frame["amount_cents"].dtype) == "Int64"
    from opskit import audit as package

    assert package.sql(snapshot, "SELECT count(*) AS n FROM balances")["n"].tolist() == [2]
    with pytest.raises(opskit.OpskitError, match="must only read"):
        audit.sql("DROP TABLE entries")


def test_a_report_without_books_says_so(audit: opskit.AuditReport) -> None:
    """A report under pseudonyms names nobody its books do; asking it is refused in a line."""
    from opskit.audit.pseudonyms import Pseudonyms, pseudonymous

    renamed = pseudonymous(audit, Pseudonyms(b"k" * 32, ["a", "b"]))
    with pytest.raises(opskit.OpskitError, match="no books beside it"):
        renamed.sql("FROM entries")


def test_a_report_is_frames(audit: opskit.AuditReport) -> None:
    """Findings, observations, checks and totals, their columns as documented, money whole."""
    frames = opskit.report_frames(audit)
    assert tuple(frames.findings.columns) == tuple(frames.observations.columns) == FINDINGS
    assert tuple(frames.checks.columns) == CHECKS
    assert tuple(frames.control_totals.columns) == CONTROL_TOTALS
    [drift] = frames.findings.to_dict("records")
    assert (drift["account"], drift["currency"]) == ("USER#a", "USD")
    assert drift["drift_owed_settled"] == -100
    assert str(frames.findings["drift_owed_settled"].dtype) == "Int64"
    assert len(frames.checks) == len(audit.results)
    owed = frames.control_totals.set_index("counter").loc["owed_settled"]
    assert (owed["stored"], owed["computed"], owed["difference"]) == (1100, 1200, -100)


def test_a_report_of_nothing_has_its_columns() -> None:
    """Empty frames are frames all the same."""
    nothing = opskit.AuditReport(AS_OF, "", {}, (), ())
    frames = opskit.report_frames(nothing)
    assert [len(frame) for frame in frames] == [0, 0, 0, 0]
    assert tuple(frames.findings.columns) == FINDINGS


def test_the_books_and_junit_are_at_hand(
    audit: opskit.AuditReport, snapshot: opskit.Snapshot
) -> None:
    """What the command line writes, a cell can too."""
    books = opskit.ledger_report(snapshot, as_of=AS_OF)
    assert not books.agrees
    assert "CONTROL ACCOUNTS IN USD" in opskit.books_text(books)
    assert opskit.books_page(books).startswith("<!doctype html>")
    assert opskit.report_junit(audit).startswith("<?xml")
    with opskit.open_books(snapshot) as opened:
        assert len(opskit.query(opened, "FROM entries")) == 2
