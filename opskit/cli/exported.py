"""The options that name an export of DynamoDB to S3 as the books."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opskit.cli.given import TEXT
from opskit.cli.options import Common, progress
from opskit.errors import InputError

if TYPE_CHECKING:
    from opskit.read.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Exports:
    """A full export and the increments on it, each a folder or an s3:// address."""

    full: str
    increments: tuple[str, ...] = ()

    @property
    def remote(self) -> bool:
        """Whether one of them lies in S3."""
        return any(text.startswith("s3://") for text in (self.full, *self.increments))


def from_export(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --from-export and --increment to a verb, which takes them as `exports`."""

    @wraps(command)
    def run(*words: Any, **given: Any) -> Any:
        full, increments = given.pop("from_export"), given.pop("increment")
        if increments and full is None:
            message = "--increment: changes are not the table; name a full export too"
            raise InputError(f"{message}, with --from-export")
        return command(*words, exports=None if full is None else Exports(full, increments), **given)

    place = "DIR|s3://BUCKET/PREFIX"
    run = click.option(
        "--increment",
        type=TEXT,
        multiple=True,
        metavar=place,
        help="An incremental export on it. Repeat it.",
    )(run)
    return click.option(
        "--from-export",
        type=TEXT,
        metavar=place,
        help="A full export of the table by DynamoDB to S3.",
    )(run)


def export_snapshot(common: Common, exports: Exports, out: Path) -> "Snapshot":
    """A new snapshot of a full export and its increments."""
    from opskit.aws import Connection, dynamodb_client, is_loopback
    from opskit.read.export import locate_export, read_export
    from opskit.settings import require

    s3, client = Connection(), None
    if exports.remote:
        settings = common.settings()
        require(settings)
        s3, tables = settings.s3_connection, settings.connection
        # A service here knows nothing of an export there.
        if is_loopback(s3.endpoint_url) == is_loopback(tables.endpoint_url):
            client = dynamodb_client(tables)
    return read_export(
        locate_export(exports.full, s3),
        out,
        increments=[locate_export(text, s3) for text in exports.increments],
        client=client,
        progress=progress,
    )
