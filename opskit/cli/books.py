"""The verb `audit`."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import click

from opskit.cli.auditing import Asked, Books, evidence_options, judged
from opskit.cli.evidence import write_evidence
from opskit.cli.exported import Exports, from_export
from opskit.cli.options import Common, common_options
from opskit.cli.sources import FROM_ITEMS, SOURCES, write_csv, write_text


@click.command(short_help="Audit the billing ledger to the cent.")
@FROM_ITEMS
@click.option("--check", "pattern", metavar="GLOB", help="Run only the checks of these ids.")
@click.option(
    "--checks-dir", type=click.Path(path_type=Path), help="Also run a team's own .sql checks."
)
@click.option(
    "--param",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set a parameter of the checks, or settle_window in seconds. Repeat it.",
)
@click.option("--html", type=click.Path(path_type=Path), help="Also write the report as a page.")
@click.option("--csv", type=click.Path(path_type=Path), help="Also write the findings as CSV.")
@click.option("--junit", type=click.Path(path_type=Path), help="Also write JUnit XML.")
@evidence_options
@SOURCES
@common_options
@from_export
def audit(
    common: Common,
    /,
    exports: Exports | None,
    captures: tuple[Path, ...],
    pattern: str | None,
    checks_dir: Path | None,
    parameters: tuple[str, ...],
    html: Path | None,
    csv: Path | None,
    junit: Path | None,
    sources: tuple[Path, ...],
    **evidence: Any,
) -> None:
    """Audit a snapshot, captures, an export, or (with none of them) the live billing table.

    An account of the live table that is found at fault is read again, whole, until it has lain
    still for the settle window; only what is still there then is a fault.

    Exit status: 0 the books are right, 1 findings, 2 could not do it, 3 not everything could be
    judged. Nothing is written to any table.
    """
    from opskit.audit.check import load_checks, select_checks
    from opskit.audit.history import CHECK
    from opskit.audit.parameters import given_parameters
    from opskit.present import findings_csv, report_html, report_json, report_junit, report_text

    checks = select_checks(load_checks(checks_dir), pattern)
    history = fnmatchcase(CHECK, pattern or "*")
    books = Books(sources, captures, checks, given_parameters(parameters), history, exports)
    asked = Asked(**evidence)
    with judged(common, books, asked) as answer:
        report = answer.report
        packed = write_evidence(answer, asked, checks) if asked.pack else {}
    if html:
        write_text(html, report_html(report))
    if csv:
        write_csv(csv, findings_csv(report))
    if junit:
        write_text(junit, report_junit(report))
    if common.json:
        common.emit({**report_json(report), **packed})
    else:
        click.echo(report_text(report))
    raise SystemExit(report.exit_code)
