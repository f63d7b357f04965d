"""The verbs plan and apply: what the tables lack, and the one command that writes."""

import sys
from typing import TYPE_CHECKING

import click

from opskit.cli.options import Common, common_options, progress
from opskit.errors import InputError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from opskit.provision.plan import Plan

_LAYOUT = click.option(
    "--billing-layout",
    type=click.Choice(["pk", "user_sub"]),
    help="Key of a billing table: pk for Stripe and PayPal, user_sub for CCBill.",
)


@click.command(short_help="Show what would be done to the service's tables.")
@_LAYOUT
@common_options
def plan(common: Common, billing_layout: str | None) -> None:
    """Compare the live tables with the nine the service needs; nothing is written.

    Marks: + is created, ~ is changed, ! differs and is left alone, ? could not be read.
    """
    from opskit.aws import READ_OPERATIONS
    from opskit.present.plan import plan_json, plan_text

    _, made = _planned(common, billing_layout, READ_OPERATIONS)
    if common.json:
        common.emit(plan_json(made))
    else:
        click.echo(plan_text(made))
    raise SystemExit(made.exit_code)


@click.command(short_help="Create what is missing of the service's tables.")
@_LAYOUT
@click.option("--yes", is_flag=True, help="Do not ask (on an endpoint on this machine).")
@click.option("--confirm", metavar="ACCOUNT/REGION", help="Where writing is meant to happen.")
@common_options
def apply(common: Common, billing_layout: str | None, *, yes: bool, confirm: str | None) -> None:
    """Show the plan, ask, and carry it out; nothing is ever deleted or replaced.

    On an endpoint that is not this machine's, account and region must be typed or given as
    --confirm. An apply that was interrupted is continued by running it again.
    """
    from opskit.aws import PROVISION_OPERATIONS
    from opskit.present.escape import plain
    from opskit.present.plan import applied_json, applied_text, plan_text
    from opskit.provision.apply import apply_plan

    client, made = _planned(common, billing_layout, PROVISION_OPERATIONS)
    click.echo(plan_text(made), err=common.json)
    if not made.is_empty or confirm is not None:
        _consent(made, yes=yes, confirm=confirm)
    applied = apply_plan(client, made, progress=lambda message: progress(plain(message)))
    if common.json:
        common.emit(applied_json(made, applied))
    elif not made.is_empty:
        click.echo(applied_text(applied))
    raise SystemExit(applied.exit_code)


def _planned(
    common: Common, billing_layout: str | None, allow: frozenset[str]
) -> tuple["DynamoDBClient", "Plan"]:
    """Make a client that may send `allow`, and the plan it gives."""
    from opskit.aws import caller_identity, dynamodb_client
    from opskit.provision.plan import plan
    from opskit.settings import LOGICAL_TABLES, require
    from opskit.tables import catalogue

    settings = common.settings({"OPSKIT_BILLING_LAYOUT": billing_layout})
    require(settings, *LOGICAL_TABLES)
    client = dynamodb_client(settings.connection, allow=allow, workers=9)
    account = caller_identity(settings.connection).account or ""
    return client, plan(client, catalogue(settings), account=account)


def _consent(made: "Plan", *, yes: bool, confirm: str | None) -> None:
    """Return when a person, or an option for one, agreed to write there; else InputError."""
    where = made.target.confirmation
    if confirm is not None:
        if confirm != where:
            raise InputError(f"--confirm {confirm} is not this plan's {where}; nothing was written")
    elif made.target.local:
        if not (yes or _answered_yes()):
            raise InputError("not confirmed; nothing was written")
    elif _typed(f"Type {where} to apply", option=f"--confirm {where}") != where:
        raise InputError(f"that is not {where}; nothing was written")


def _answered_yes() -> bool:
    _require_terminal("--yes")
    return click.confirm("Apply this plan?", err=True)


def _typed(prompt: str, *, option: str) -> str:
    _require_terminal(option)
    answer: str = click.prompt(prompt, err=True)
    return answer.strip()


def _require_terminal(option: str) -> None:
    if not sys.stdin.isatty():
        message = f"no terminal to ask at; give {option} to apply this plan; nothing was written"
        raise InputError(message)
