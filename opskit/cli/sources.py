"""What a verb about the books works on, and the files it writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opskit.cli.given import PATH
from opskit.cli.options import Common, instant, progress
from opskit.errors import IncompleteReadError, InputError

if TYPE_CHECKING:
    from opskit.cli.exported import Exports
    from opskit.ledger.period import Period
    from opskit.read.snapshot import Snapshot

FROM_ITEMS = click.option(
    "--from-items",
    "captures",
    multiple=True,
    type=PATH,
    help='A capture: {"Item": {...}} lines, gzip or not. Repeat it, or list more files after it.',
)
MORE_FILES = click.argument("more", nargs=-1, type=PATH)
SOURCES = click.argument("sources", nargs=-1, metavar="[SNAPSHOT_DIR]", type=PATH)


def take(
    common: Common,
    captures: tuple[Path, ...],
    out: Path,
    exports: "Exports | None" = None,
    *,
    within: float | None = None,
) -> "Snapshot":
    """A new snapshot of the captures, the export, or else of the live billing table.

    `within` is for how many seconds a page of the table that fails is asked for again.
    """
    if exports:
        from opskit.cli.exported import export_snapshot

        if captures:
            raise InputError("give captures or an export, not both")
        return export_snapshot(common, exports, out)
    if captures:
        from opskit.read.capture import read_captures

        _require_files(captures)
        return read_captures(captures, out, progress=progress)
    from opskit.aws import reading_client
    from opskit.read.patience import Patience
    from opskit.read.scan import ScanOptions, snapshot_table
    from opskit.settings import require

    settings = common.settings()
    require(settings, "billing")
    client = reading_client(settings.connection)
    options = ScanOptions() if within is None else ScanOptions(patience=Patience(within))
    name = settings.table_names["billing"]
    return snapshot_table(client, name, out, options=options, progress=progress)


def _require_files(captures: tuple[Path, ...]) -> None:
    """Raise InputError where a folder is among captures: a snapshot is a source of its own."""
    folders = [path for path in captures if path.is_dir()]
    if folders and len(captures) > 1:
        message = f"{folders[0]} is a folder beside captures, so two sources were given"
        raise InputError(f"{message}; give a snapshot or --from-items, not both")
    if folders:
        message = f"--from-items {folders[0]} is a folder, not a capture"
        raise InputError(f"{message}; name a snapshot's folder without --from-items")


@contextmanager
def source(
    common: Common,
    sources: tuple[Path, ...],
    captures: tuple[Path, ...],
    exports: "Exports | None" = None,
    *,
    within: float | None = None,
) -> "Iterator[Snapshot]":
    """The snapshot a verb works on: the folder named, or one taken now and then thrown away."""
    from opskit.read.snapshot import open_snapshot, scratch_folder

    if sources and exports:
        raise InputError(f"{sources[0]} is not wanted beside --from-export; give one of them")
    if sources and not captures:
        if len(sources) > 1:
            raise InputError(f"{sources[1]} is one too many; name one snapshot folder")
        if sources[0].is_file():
            message = f"{sources[0]} is a file, not the folder of a snapshot"
            raise InputError(f"{message}; read captures with --from-items {sources[0]}")
        yield open_snapshot(sources[0])
        return
    with scratch_folder() as folder:
        yield _whole(take(common, captures + sources, folder, exports, within=within))


def _whole(taken: "Snapshot") -> "Snapshot":
    """The snapshot itself when nothing is missing; it is about to go, so nobody could resume it."""
    manifest = taken.manifest
    if manifest.missing:
        message = f"{manifest.source.name} was read only in part: {'; '.join(manifest.missing)}"
        advice = "take it with opskit snapshot --out DIR, complete that with --resume DIR"
        raise IncompleteReadError(f"{message}; {advice}, then name DIR here")
    return taken


def period_of(start: str | None, end: str | None) -> "Period":
    """The period that `--from` and `--to` name, half-open; without them it is open there."""
    from opskit.ledger.period import period_between

    return period_between(
        None if start is None else instant(start, "--from"),
        None if end is None else instant(end, "--to"),
    )
