"""The verbs `verify PACK` and `repair plan`, and the making of evidence packs."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opskit.cli.auditing import (
    Asked,
    Books,
    Judged,
    evidence_options,
    judged,
    names_for,
)
from opskit.cli.exported import Exports, from_export
from opskit.cli.given import PATH, TEXT
from opskit.cli.options import Common, common_options, progress
from opskit.cli.outputs import require_writable, write_text
from opskit.cli.sources import FROM_ITEMS, SOURCES
from opskit.errors import EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE, InputError

if TYPE_CHECKING:
    from opskit.audit.check import Check
    from opskit.audit.pseudonyms import Pseudonyms
    from opskit.audit.repair import RepairPlan


def write_evidence(answer: Judged, asked: Asked, checks: "tuple[Check, ...]") -> dict[str, object]:
    """Write the evidence pack that was asked for; where it is and its root."""
    from opskit.audit.pack import write_pack
    from opskit.audit.verify import CAVEAT

    assert asked.pack is not None
    names = names_for(answer.snapshot, answer.given)
    documents = _documents(answer, checks, names)
    manifest = write_pack(
        asked.pack, documents, answer.snapshot, previous=answer.given.previous, names=names
    )
    progress(f"wrote {asked.pack}, root {manifest.root}")
    progress(CAVEAT)
    return {"pack": {"path": str(asked.pack), "root": manifest.root}}


def _documents(
    answer: Judged, checks: "tuple[Check, ...]", names: "Pseudonyms | None"
) -> dict[str, bytes]:
    """The files of a pack beside its snapshot and manifest, by name."""
    from opskit.audit import evidence
    from opskit.audit.pack import REPORT, RUN
    from opskit.present import findings_csv, json_text, report_html, report_json, report_text

    report = answer.report
    times = (answer.started, datetime.now(UTC))
    run = evidence.run_document(report, answer.snapshot, checks, answer.parameters, times)
    document = report_json(report)
    return {
        REPORT: json_text(document).encode(),
        "report.html": report_html(report).encode(),
        "report.txt": report_text(report).encode(),
        "findings.csv": findings_csv(report).encode("utf-8-sig"),
        "findings.json": evidence.findings_document(document),
        "posting_rules.json": json_text({"rules": evidence.rules_document()}).encode(),
        RUN: json_text(evidence.renamed(run, names)).encode(),
    }


@click.command(short_help="Check an evidence pack offline: every file, its root, its chain.")
@click.option(
    "--previous",
    multiple=True,
    type=PATH,
    help="The pack before it, and then the one before that, to follow the chain.",
)
@click.argument("pack", type=PATH)
@common_options
def verify(common: Common, /, previous: tuple[Path, ...], pack: Path) -> None:
    """Hash every file of PACK again, recompute its root, and follow its chain of packs.

    Needs no network and no AWS. Exit status: 0 all is as it was packed, 1 something differs and is
    named, 2 it is not an evidence pack.
    """
    from opskit.audit.verify import CAVEAT, verify_pack
    from opskit.present.escape import plain

    found = verify_pack(pack, previous)
    if common.json:
        document = {"pack": str(pack), "root": found.root, "files": found.files, "note": CAVEAT}
        lists = {"differences": list(found.differences), "chain": list(found.chain)}
        common.emit({"verified": not found.differences, **document, **lists})
        raise SystemExit(found.exit_code)
    for difference in found.differences:
        click.echo(f"DIFFERS: {plain(difference)}")
    if not found.differences:
        click.echo(f"as packed: {found.files} files")
    click.echo(f"root {plain(found.root)}")
    for link in found.chain:
        click.echo(plain(link))
    click.echo(CAVEAT)
    raise SystemExit(found.exit_code)


@click.group(short_help="Plan the repair of counters; nothing is ever carried out.")
def repair() -> None:
    """Plan the repair of counters that the audit found wrong. opskit never carries it out."""


@repair.command("plan", short_help="The conditional updates that would set counters right.")
@FROM_ITEMS
@click.option("--out", type=PATH, help="Save the plan as JSON, too.")
@click.option(
    "--table", type=TEXT, help="The table the updates are for; otherwise the one that was read."
)
@evidence_options
@SOURCES
@common_options
@from_export
def repair_plan(
    common: Common,
    /,
    exports: Exports | None,
    captures: tuple[Path, ...],
    out: Path | None,
    table: str | None,
    sources: tuple[Path, ...],
    **evidence: Any,
) -> None:
    """Print the updates a person may run for drift that is confirmed and explained.

    Each sets the four counters to what the entries add up to, on the condition that BALANCE still
    is as it was audited. Accounts without one are listed with the reason. Nothing is executed.
    Exit status: 0 no drift, 1 drift, 3 only drift that is undecided.
    """
    from opskit.audit.check import load_checks
    from opskit.present.repair import repair_json, repair_text

    asked = Asked(**evidence)
    if asked.pseudonymise or asked.pack or asked.previous:
        message = "--pack, --previous and --pseudonymise are options of `opskit audit`"
        raise InputError(f"{message}; an update has to name the account it is for")
    require_writable({"--out": out})
    books = Books(sources, captures, load_checks(), {}, history=False, exports=exports)
    with judged(common, books, asked) as answer:
        plan = _planned(common, answer, table)
    document = repair_json(plan)
    if out:
        write_text(out, json.dumps(document, indent=2) + "\n")
    if common.json:
        common.emit(document)
    else:
        click.echo(repair_text(plan))
    raise SystemExit(_exit_code(plan, answer))


def _planned(common: Common, answer: Judged, table: str | None) -> "RepairPlan":
    from opskit.audit.repair import repair_plan as planned
    from opskit.ledger.books import open_books
    from opskit.read.manifest import SourceKind

    source = answer.snapshot.manifest.source
    read = source.name if source.kind is SourceKind.TABLE else ""
    named = table or read or common.settings().table_names.get("billing", "")
    if not named:
        raise InputError("the books are of no known table; name it with --table")
    with open_books(answer.snapshot) as books:
        return planned(answer.report, books, table=named)


def _exit_code(plan: "RepairPlan", answer: Judged) -> int:
    if plan.repairs or any(left.decided for left in plan.left):
        return EXIT_FINDINGS
    return EXIT_INCOMPLETE if plan.left or answer.report.unjudged else EXIT_CLEAN
