"""What the audit of the seeded books must find: every planted fault and nothing else."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opskit.audit.report import AuditReport
    from opskit.notebook.operation import Operation
    from opskit.read.snapshot import Snapshot


def parameters() -> dict[str, object]:
    """Judge the books as of the day they end on."""
    return {"as_of": "2026-12-01"}


def check_found_is_planted(report: "AuditReport") -> None:
    """The findings of every check are the planted faults, every drift to the cent."""
    from opskit.sandbox.lab import SEED
    from opskit.sandbox.proof import tallies
    from opskit.sandbox.seed import sample_books
    from opskit.testing import AS_OF

    books = sample_books(SEED, AS_OF)
    proof = tallies(books.faults, report)
    assert books.faults
    assert not [tally for tally in proof if not tally.equal]


def check_the_read_is_complete(snapshot: "Snapshot") -> None:
    """The snapshot came from the live table, whole and strongly consistent."""
    assert snapshot.manifest.verdict == "COMPLETE"
    assert snapshot.manifest.source.kind == "table"
    assert snapshot.manifest.source.consistency == "strong"


def check_the_record_is_complete(ops: "Operation") -> None:
    """The run's folder holds the findings in three forms and the snapshot they came from."""
    from opskit.notebook.record import read_record

    record = read_record(ops.folder)
    assert (record.verdict, record.exit_code) == ("findings", 1)
    wanted = {"audit.html", "audit.json", "findings.csv", "snapshot/manifest.json"}
    assert wanted <= set(record.files)
