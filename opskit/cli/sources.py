"""What a verb about the books works on, and the files it writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opskit.cli.options import Common, instant, progress
from opskit.errors import InputError

if TYPE_CHECKING:
    from opskit.cli.exported import Exports
    from opskit.ledger.period import Period
    from opskit.read.snapshot import Snapshot

FROM_ITEMS = click.option(
    "--from-items",
    "captures",
    multiple=True,
    type=click.Path(path_type=Path),
    help='A capture: {"Item": {...}} lines, gzip or not. Repeat it, or list more files after it.',
)
MORE_FILES = click.argument("more", nargs=-1, type=click.Path(path_type=Path))
SOURCES = click.argument(
    "sources", nargs=-1, metavar="[SNAPSHOT_DIR]", type=click.Path(path_type=Path)
)


def take(
    common: Common, captures: tuple[Path, ...], out: Path, exports: "Exports | None" = None
) -> "Snapshot":
    """A new snapshot of the captures, the export, or else of the live billing table."""
    if exports:
        from opskit.cli.exported import export_snapshot

        if captures:
            raise InputError("give captures or an export, not both")
        return export_snapshot(common, exports, out)
    if captures:
        from opskit.read.capture import read_captures

        return read_captures(captures, out, progress=progress)
    from opskit.aws import reading_client
    from opskit.read.scan import snapshot_table
    from opskit.settings import require

    settings = common.settings()
    require(settings, "billing")
    client = reading_client(settings.connection)
    return snapshot_table(client, settings.table_names["billing"], out, progress=progress)


@contextmanager
def source(
    common: Common,
    sources: tuple[Path, ...],
    captures: tuple[Path, ...],
    exports: "Exports | None" = None,
) -> "Iterator[Snapshot]":
    """The snapshot a verb works on: the folder named, or one taken now and then thrown away."""
    from opskit.read.snapshot import open_snapshot, scratch_folder

    if sources and exports:
        raise InputError(f"{sources[0]} is not wanted beside --from-export; give one of them")
    if sources and not captures:
        if len(sources) > 1:
            raise InputError(f"{sources[1]} is one too many; name one snapshot folder")
        yield open_snapshot(sources[0])
        return
    with scratch_folder() as folder:
        yield take(common, captures + sources, folder, exports)


def period_of(start: str | None, end: str | None) -> "Period":
    """The period that `--from` and `--to` name, half-open; without them it is open there."""
    from opskit.ledger.period import period_between

    return period_between(
        None if start is None else instant(start, "--from"),
        None if end is None else instant(end, "--to"),
    )


def write_text(path: Path, text: str) -> None:
    """Write a page or a document, and say so."""
    _write(path, text.encode())


def write_csv(path: Path, text: str) -> None:
    """Write a table as spreadsheets expect it: UTF-8 with a mark, its line ends as they are."""
    _write(path, text.encode("utf-8-sig"))


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}; name another") from None
    progress(f"wrote {path}")
