"""The verb `audit`."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opskit.cli.auditing import Asked, Books, evidence_options, judged
from opskit.cli.evidence import write_evidence
from opskit.cli.exported import Exports, from_export
from opskit.cli.given import PATH
from opskit.cli.options import Common, common_options
from opskit.cli.outputs import require_writable, write_csv, write_text
from opskit.cli.sources import FROM_ITEMS, SOURCES
from opskit.errors import InputError

if TYPE_CHECKING:
    from opskit.audit.check import Check


@click.command(short_help="Audit the billing ledger to the cent.")
@FROM_ITEMS
@click.option("--check", "pattern", metavar="GLOB", help="Run only the checks of these ids.")
@click.option("--checks-dir", type=PATH, help="Also run a team's own .sql checks.")
@click.option(
    "--param",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set a parameter of the checks, or settle_window in seconds. Repeat it.",
)
@click.option("--html", type=PATH, help="Also write the report as a page.")
@click.option("--csv", type=PATH, help="Also write the findings as CSV.")
@click.option("--junit", type=PATH, help="Also write JUnit XML.")
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
    from opskit.audit.parameters import given_parameters
    from opskit.present import findings_csv, report_html, report_json, report_junit, report_text

    require_writable({"--html": html, "--csv": csv, "--junit": junit})
    asked = Asked(**evidence)
    checks, history = _chosen(pattern, checks_dir, asked.previous)
    books = Books(sources, captures, checks, given_parameters(parameters), history, exports)
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


def _chosen(
    pattern: str | None, checks_dir: Path | None, previous: Path | None
) -> "tuple[tuple[Check, ...], bool]":
    """The checks of SQL that are asked for, and whether the entries' history is.

    Asked for alone, history has to have a pack to be compared with: a report in which nothing was
    examined would read as if the books agreed.
    """
    from opskit.audit.check import load_checks, select_checks
    from opskit.audit.history import CHECK

    checks = select_checks(load_checks(checks_dir), pattern, beside=(CHECK,))
    if not checks and (previous is None or previous.is_file()):
        message = f"--check {pattern!r} is {CHECK} alone, which needs --previous PACK"
        raise InputError(f"{message}: the evidence pack that these books are compared with")
    return checks, fnmatchcase(CHECK, pattern or "*")
