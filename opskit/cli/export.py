"""The verb `export`: ask DynamoDB for an export to S3, see how far it is, wait for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from opskit.cli.options import Common, common_options, instant, progress
from opskit.errors import EXIT_INCOMPLETE, InputError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from opskit.read.export.request import ExportState


@click.group(short_help="Have DynamoDB export the billing table to S3.")
def export() -> None:
    """Have DynamoDB export the billing table to S3, and follow it.

    `opskit audit --from-export` reads what it wrote. Exit status: 0 the export is COMPLETED (or
    started), 2 could not do it, 3 it has not ended or has FAILED.
    """


@export.command(short_help="Start an export.")
@click.option("--s3", "target", required=True, metavar="s3://BUCKET/PREFIX", help="Where to.")
@click.option(
    "--full/--incremental",
    "full",
    default=True,
    help="The whole table (default), or the changes of a window.",
)
@click.option("--from", "since", metavar="TIME", help="The window's beginning (incremental).")
@click.option("--to", "until", metavar="TIME", help="The window's end; of a full export its time.")
@click.option("--confirm", metavar="ACCOUNT/REGION", help="Where exporting is meant to happen.")
@common_options
def start(
    common: Common,
    /,
    target: str,
    full: bool,  # noqa: FBT001 - click gives it by name
    since: str | None,
    until: str | None,
    confirm: str | None,
) -> None:
    """Start an export; starting the same one again within 8 hours only shows it.

    It writes to the bucket and reads no capacity of the table. On an endpoint that is not this
    machine's, account and region must be given as --confirm.
    """
    from opskit.aws import EXPORT_OPERATIONS
    from opskit.read.export.place import bucket_and_prefix
    from opskit.read.export.request import ExportRequest, start_export

    bucket, prefix = bucket_and_prefix(target)
    if full != (since is None):
        raise InputError("--from goes with --incremental, and only with it")
    window = _instant(since, "--from"), _instant(until, "--to")
    ExportRequest("", bucket, prefix, *window)  # refuse what can be refused before any call
    client, arn = _table(common, EXPORT_OPERATIONS)
    _require_confirmed(client, arn, confirm)
    _show(common, [start_export(client, ExportRequest(arn, bucket, prefix, *window))])


def _instant(text: str | None, option: str) -> datetime | None:
    return None if text is None else instant(text, option)


def _table(common: Common, allow: frozenset[str]) -> tuple["DynamoDBClient", str]:
    """Make a client that may send `allow`; with it the billing table's ARN."""
    from opskit.aws import dynamodb_client
    from opskit.read.table import table_identity
    from opskit.settings import require

    settings = common.settings()
    require(settings, "billing")
    client = dynamodb_client(settings.connection, allow=allow)
    return client, table_identity(client, settings.table_names["billing"]).arn


def _require_confirmed(client: "DynamoDBClient", arn: str, confirm: str | None) -> None:
    """Raise InputError unless the caller named where, which on this machine is not needed."""
    from opskit.aws import is_loopback

    parts = arn.split(":")
    where = f"{parts[4]}/{parts[3]}" if len(parts) > 4 else "unknown"
    if confirm is None and is_loopback(client.meta.endpoint_url):
        return
    if confirm != where:
        given = f"--confirm {confirm} is not {where}" if confirm else "not confirmed"
        raise InputError(f"{given}; give --confirm {where} to export there; nothing was started")


@export.command(short_help="Show one export, or all of the table's.")
@click.argument("arn", required=False)
@common_options
def status(common: Common, /, arn: str | None) -> None:
    """Show how far an export is; without an ARN every export of the last 90 days."""
    from opskit.aws import READ_OPERATIONS
    from opskit.read.export.request import export_state, table_exports

    if arn is not None:
        _show(common, [export_state(_reader(common), arn)])
        return
    client, table = _table(common, READ_OPERATIONS)
    _show(common, table_exports(client, table), judge=False)


def _reader(common: Common) -> "DynamoDBClient":
    from opskit.aws import dynamodb_client
    from opskit.settings import require

    settings = common.settings()
    require(settings)
    return dynamodb_client(settings.connection)


@export.command(short_help="Wait until an export ends.")
@click.argument("arn")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 172_800),
    default=3600.0,
    show_default=True,
    metavar="SECONDS",
    help="Stop waiting then; waiting can be taken up again.",
)
@common_options
def wait(common: Common, /, arn: str, timeout: float) -> None:
    """Wait until an export ends, and show how it ended."""
    from opskit.read.export.request import await_export

    _show(common, [await_export(_reader(common), arn, within=timeout, progress=progress)])


def _show(common: Common, states: "Sequence[ExportState]", *, judge: bool = True) -> None:
    """Print exports; exit 3 when one that was waited for has not ended well."""
    from dataclasses import asdict

    from opskit.present.escape import plain

    if common.json:
        shown = [{name: _text(value) for name, value in asdict(s).items()} for s in states]
        common.emit({"exports": shown})
    else:
        for state in states:
            click.echo(plain(_line(state)))
    started = click.get_current_context().info_name == "start"
    if judge and any(not (s.completed or (started and s.running)) for s in states):
        raise SystemExit(EXIT_INCOMPLETE)


def _text(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _line(state: "ExportState") -> str:
    since = f"{state.since:%Y-%m-%dT%H:%M:%SZ} to " if state.since else ""
    until = f"{state.until:%Y-%m-%dT%H:%M:%SZ}" if state.until else "now"
    items = "" if state.items is None else f"  {state.items:,} items"
    failure = f"  {state.failure}" if state.failure else ""
    return f"{state.status}  {since}{until}{items}  {state.address}  {state.arn}{failure}"
