"""The verb about checks: which there are, and what each one asks of the books."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opskit.cli.given import PATH
from opskit.cli.options import Common, common_options
from opskit.errors import InputError

if TYPE_CHECKING:
    from opskit.audit.check import Check

_CHECKS_DIR = click.option("--checks-dir", type=PATH, help="Also show a team's own .sql checks.")


@click.group(invoke_without_command=True, short_help="List the audit's checks, or show one.")
@_CHECKS_DIR
@common_options
def checks(common: Common, checks_dir: Path | None) -> None:
    """List the audit's checks: id, severity and title; then the rules that no check judges.

    `opskit checks show ID` prints one check whole: its header and its SQL.
    """
    if click.get_current_context().invoked_subcommand is not None:
        return
    from opskit.audit.elsewhere import ELSEWHERE

    found = _all_checks(checks_dir)
    if common.json:
        rules = [asdict(rule) for rule in ELSEWHERE]
        common.emit({"checks": [_described(check) for check in found], "elsewhere": rules})
        return
    width = max(len(check.id) for check in found)
    for check in found:
        click.echo(f"{check.id:{width}}  {check.severity:8}  {check.title}")
    click.echo("\nRules of the auditors' catalogue that are no check of the books:")
    for rule in ELSEWHERE:
        click.echo(f"{rule.catalogue}  {rule.title}: {rule.why}")


def _all_checks(checks_dir: Path | None) -> "list[Check]":
    """Every check whose id a report can hold, in the order of their ids."""
    from opskit.audit.check import load_checks
    from opskit.audit.history import DEFINITION

    return sorted((*load_checks(checks_dir), DEFINITION), key=lambda check: check.id)


@checks.command(short_help="Print one check: header and SQL.")
@_CHECKS_DIR
@click.argument("check_id", metavar="ID")
@common_options
def show(common: Common, check_id: str, checks_dir: Path | None) -> None:
    """Print the check ID whole, as an auditor reads it."""
    found = {check.id: check for check in _all_checks(checks_dir)}
    if check_id not in found:
        raise InputError(f"no check has the id {check_id!r}; `opskit checks` lists them")
    check = found[check_id]
    if common.json:
        common.emit({**_described(check), "sql": check.source if check.query else None})
    else:
        click.echo(check.source)


def _described(check: "Check") -> dict[str, object]:
    """A check's header as plain values."""
    return {
        "id": check.id,
        "severity": check.severity.value,
        "title": check.title,
        "criterion": check.criterion,
        "remedy": check.remedy,
        "catalogue": check.catalogue,
        "parameters": [
            {"name": p.name, "type": p.type.value, "default": p.default} for p in check.parameters
        ],
    }
