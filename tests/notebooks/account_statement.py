"""What the statement of a seeded account must show."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opskit.ledger.statement import Statement
    from opskit.notebook.operation import Operation


def planted_drift() -> tuple[str, Mapping[str, int]]:
    """The first account whose counters were made to drift, and by how much."""
    from opskit.sandbox.faults import DRIFT
    from opskit.sandbox.lab import SEED
    from opskit.sandbox.seed import sample_books
    from opskit.testing import AS_OF

    fault = next(f for f in sample_books(SEED, AS_OF).faults if f.check == DRIFT)
    return fault.account, fault.evidence["drift"]  # type: ignore[return-value]


def parameters() -> dict[str, object]:
    """Ask for a drifted account, by its user id."""
    account, _ = planted_drift()
    return {"account": account.removeprefix("USER#"), "as_of": "2026-12-01"}


def check_the_planted_drift_is_the_difference(statement: "Statement") -> None:
    """Stored less computed is exactly what was planted, counter by counter."""
    account, drift = planted_drift()
    assert statement.account == account
    assert statement.difference.nonzero() == drift


def check_the_entries_are_all_there(statement: "Statement") -> None:
    """The statement has lines, and its last running balance is the computed one."""
    assert statement.lines
    assert statement.lines[-1].running_settled == statement.computed.due_settled


def check_the_record_says_findings(ops: "Operation") -> None:
    """The difference ends as exit status 1, with the documents beside the record."""
    from opskit.notebook.record import read_record

    record = read_record(ops.folder)
    assert (record.verdict, record.exit_code) == ("findings", 1)
    assert {"statement.html", "statement.json", "entries.csv"} <= set(record.files)
