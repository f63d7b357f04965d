"""The verb `snapshot`: take one, resume one, verify one, compare two."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opskit.cli.exported import Exports, from_export
from opskit.cli.given import DEADLINE, PATH
from opskit.cli.options import Common, common_options, progress
from opskit.cli.sources import FROM_ITEMS, MORE_FILES, take
from opskit.errors import EXIT_FINDINGS, EXIT_INCOMPLETE, InputError

if TYPE_CHECKING:
    from opskit.read.difference import KindDifference
    from opskit.read.scan import ScanOptions
    from opskit.read.snapshot import Snapshot

_SHOWN = 20


class _TakesByDefault(click.Group):
    """A group that takes a snapshot unless its first word is one of its other commands."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command's name before what is meant for it."""
        if not args or args[0] not in {*self.commands, "-h", "--help"}:
            args = ["take", *args]
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the default command's options as the group's own."""
        click.Command.format_options(self.commands["take"], ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group(cls=_TakesByDefault, short_help="Read the billing table into a snapshot; compare two.")
def snapshot() -> None:
    """Read the billing table, captures or an export of it, into a new snapshot folder.

    The folder holds one Parquet file per kind of item and a manifest with a verdict and a SHA-256
    per file. A scan that ends early leaves a PARTIAL snapshot, which --resume completes. Exit
    status: 0 COMPLETE, 2 nothing could be read, 3 PARTIAL.
    """


@snapshot.command("take", hidden=True)
@FROM_ITEMS
@click.option("--out", type=PATH, help="The folder to make.")
@click.option("--resume", type=PATH, help="Complete this PARTIAL snapshot of a table.")
@click.option("--segments", type=int, help="Scan in so many segments; by the table's size.")
@click.option("--workers", type=int, help="Read so many segments at a time (up to 8).")
@click.option("--read-units", type=float, help="Spend at most so many read units a second.")
@click.option("--eventual", is_flag=True, help="Eventually consistent reads, at half the units.")
@click.option("--strict", is_flag=True, help="Refuse pages that come without a checksum.")
@DEADLINE
@MORE_FILES
@common_options
@from_export
def take_new(
    common: Common,
    /,
    exports: Exports | None,
    captures: tuple[Path, ...],
    out: Path | None,
    resume: Path | None,
    more: tuple[Path, ...],
    **scan: object,
) -> None:
    """Read the billing table, or captures of it, into a new snapshot folder."""
    if more and not captures:
        raise InputError(f"{more[0]} is not wanted here; name captures after --from-items")
    if (out is None) == (resume is None) or (resume and (captures or exports)):
        raise InputError("name the folder to make with --out, or the one to complete with --resume")
    options = _options(scan)
    if resume:
        taken = _resumed(common, resume, options)
    elif captures or exports or out is None:
        taken = take(common, captures + more, out or Path(), exports)
    else:
        taken = _scanned(common, out, options)
    _show(common, taken)


def _options(scan: dict[str, object]) -> "ScanOptions":
    from opskit.read.patience import Patience
    from opskit.read.scan import ScanOptions

    return ScanOptions(
        segments=scan["segments"],  # type: ignore[arg-type]
        workers=scan["workers"],  # type: ignore[arg-type]
        read_units=scan["read_units"],  # type: ignore[arg-type]
        strong=not scan["eventual"],
        strict=bool(scan["strict"]),
        patience=Patience(scan["deadline"]),  # type: ignore[arg-type]
    )


def _scanned(common: Common, out: Path, options: "ScanOptions") -> "Snapshot":
    """A new snapshot of the live billing table."""
    from opskit.aws import reading_client
    from opskit.read.scan import snapshot_table
    from opskit.settings import require

    settings = common.settings()
    require(settings, "billing")
    client = reading_client(settings.connection, workers=options.workers or 8)
    name = settings.table_names["billing"]
    return snapshot_table(client, name, out, options=options, progress=progress)


def _resumed(common: Common, folder: Path, options: "ScanOptions") -> "Snapshot":
    """A PARTIAL snapshot read on from where its segments ended."""
    from opskit.aws import reading_client
    from opskit.read.scan import resume_table
    from opskit.settings import require

    if options.segments:
        raise InputError("--segments cannot change when a snapshot is resumed; leave it out")
    settings = common.settings()
    require(settings)
    client = reading_client(settings.connection, workers=options.workers or 8)
    return resume_table(client, folder, options=options, progress=progress)


def _show(common: Common, taken: "Snapshot") -> None:
    """Print what was taken, and exit 3 when it is not complete."""
    manifest = taken.manifest
    if common.json:
        common.emit({"path": str(taken.path), **_json(manifest.to_json())})
    else:
        click.echo(f"{manifest.verdict}  {manifest.items:,} items  {manifest.describe()}")
        for name, file in manifest.files.items():
            click.echo(f"  {file.rows:>9,}  {name}  sha256 {file.sha256[:16]}")
    for missing in manifest.missing:
        progress(f"missing: {missing}")
    if manifest.missing:
        progress(f"resume it: opskit snapshot --resume {taken.path}")
        raise SystemExit(EXIT_INCOMPLETE)


def _json(text: bytes) -> dict[str, object]:
    import msgspec

    return msgspec.json.decode(text, type=dict[str, object])


@snapshot.command(short_help="Hash every file again.")
@click.argument("folder", type=PATH)
@common_options
def verify(common: Common, folder: Path) -> None:
    """Hash every file of a snapshot again and compare it with the manifest.

    Exit status: 0 as written and COMPLETE, 2 a file is missing or another, 3 not COMPLETE.
    """
    from opskit.read.snapshot import open_snapshot

    _show(common, open_snapshot(folder))


@snapshot.command(short_help="List the items that differ between two snapshots.")
@click.argument("before", type=PATH)
@click.argument("after", type=PATH)
@common_options
def diff(common: Common, before: Path, after: Path) -> None:
    """List the items added, removed and changed from one snapshot to a later one.

    An entry that vanished, or whose amount, type or reason changed, is an ALARM: the service only
    ever adds entries. Exit status: 0 the same items, 1 differences, 3 one is not COMPLETE.
    """
    from opskit.read.difference import snapshot_difference
    from opskit.read.snapshot import open_snapshot

    found = snapshot_difference(open_snapshot(before), open_snapshot(after))
    if common.json:
        alarms = sum(kind.alarms for kind in found)
        common.emit(
            {"same": not found, "alarms": alarms, "kinds": [asdict(kind) for kind in found]}
        )
    else:
        click.echo(_difference_text(found))
    raise SystemExit(EXIT_FINDINGS if found else 0)


def _difference_text(found: "tuple[KindDifference, ...]") -> str:
    """The differences as lines, alarms first, hostile text made harmless."""
    from opskit.present.escape import plain

    lines = [] if found else ["the same items"]
    for kind in found:
        lines.append(
            f"{kind.kind}: {kind.added:,} added, {kind.removed:,} removed, {kind.changed:,} changed"
            + (f", {kind.alarms:,} ALARMS" if kind.alarms else "")
        )
        for item in kind.listed[:_SHOWN]:
            mark = "ALARM " if item.alarm else ""
            columns = f"  {', '.join(item.columns)}" if item.columns else ""
            shown = plain(f"{item.account} {item.sk}")
            lines.append(f"  {mark}{item.change}  {shown}{columns}")
        more = kind.added + kind.removed + kind.changed - _SHOWN
        if more > 0:
            lines.append(f"  and {more:,} more; --json lists up to 1,000 of a kind")
    return "\n".join(lines)
