"""The verbs about the books: snapshot, audit, statement."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opskit.cli.options import Common, common_options, progress
from opskit.errors import InputError

if TYPE_CHECKING:
    from opskit.read.snapshot import Snapshot

_FROM_ITEMS = click.option(
    "--from-items",
    "captures",
    multiple=True,
    type=click.Path(path_type=Path),
    help='A capture: {"Item": {...}} lines, gzip or not. Repeat it, or list more files after it.',
)
_MORE_FILES = click.argument("more", nargs=-1, type=click.Path(path_type=Path))


@click.command(short_help="Read the billing table, or a capture of it, into a snapshot.")
@_FROM_ITEMS
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to make.")
@_MORE_FILES
@common_options
def snapshot(
    common: Common, captures: tuple[Path, ...], out: Path, more: tuple[Path, ...]
) -> None:
    """Read the billing table, or captures of it, into a new snapshot folder.

    The folder holds one Parquet file per kind of item and a manifest with a verdict and a SHA-256
    per file. It is made whole or not at all.
    """
    if more and not captures:
        raise InputError(f"{more[0]} is not wanted here; name captures after --from-items")
    taken = _take(common, captures + more, out)
    manifest = taken.manifest
    if common.json:
        common.emit({"path": str(out), **_json(manifest.to_json())})
        return
    click.echo(f"{manifest.verdict}  {manifest.items:,} items  {manifest.describe()}")
    for name, file in manifest.files.items():
        click.echo(f"  {file.rows:>9,}  {name}  sha256 {file.sha256[:16]}")


def _json(text: bytes) -> dict[str, object]:
    import msgspec

    return msgspec.json.decode(text, type=dict[str, object])


def _take(common: Common, captures: tuple[Path, ...], out: Path) -> "Snapshot":
    """A new snapshot of the captures, or of the live billing table where none is given."""
    if captures:
        from opskit.read.capture import read_captures

        return read_captures(captures, out, progress=progress)
    from opskit.aws import dynamodb_client
    from opskit.read.scan import snapshot_table
    from opskit.settings import require

    settings = common.settings()
    require(settings, "billing")
    client = dynamodb_client(settings.connection)
    return snapshot_table(client, settings.table_names["billing"], out, progress=progress)


@contextmanager
def _source(
    common: Common, sources: tuple[Path, ...], captures: tuple[Path, ...]
) -> "Iterator[Snapshot]":
    """The snapshot a verb works on: the folder named, or one taken now and then thrown away."""
    from opskit.read.snapshot import open_snapshot, scratch_folder

    if sources and not captures:
        if len(sources) > 1:
            raise InputError(f"{sources[1]} is one too many; name one snapshot folder")
        yield open_snapshot(sources[0])
        return
    with scratch_folder() as folder:
        yield _take(common, captures + sources, folder)


@click.command(short_help="Audit the billing ledger to the cent.")
@_FROM_ITEMS
@click.option("--check", "pattern", metavar="GLOB", help="Run only the checks of these ids.")
@click.option(
    "--checks-dir", type=click.Path(path_type=Path), help="Also run a team's own .sql checks."
)
@click.option("--html", type=click.Path(path_type=Path), help="Also write the report as a page.")
@click.option("--csv", type=click.Path(path_type=Path), help="Also write the findings as CSV.")
@click.argument("sources", nargs=-1, metavar="[SNAPSHOT_DIR]", type=click.Path(path_type=Path))
@common_options
def audit(
    common: Common,
    captures: tuple[Path, ...],
    pattern: str | None,
    checks_dir: Path | None,
    html: Path | None,
    csv: Path | None,
    sources: tuple[Path, ...],
) -> None:
    """Audit a snapshot, captures, or (with neither) the live billing table.

    Exit status: 0 the books are right, 1 findings, 2 could not do it, 3 not everything could be
    judged. Nothing is written to any table.
    """
    from opskit.audit.check import load_checks, select_checks
    from opskit.audit.run import audit_snapshot
    from opskit.present import findings_csv, report_html, report_json, report_text

    checks = select_checks(load_checks(checks_dir), pattern)
    with _source(common, sources, captures) as taken:
        report = audit_snapshot(taken, as_of=common.as_of, checks=checks, progress=progress)
    if html:
        _write(html, report_html(report))
    if csv:
        _write(csv, findings_csv(report))
    if common.json:
        common.emit(report_json(report))
    else:
        click.echo(report_text(report))
    raise SystemExit(report.exit_code)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}; name another") from None
    progress(f"wrote {path}")


@click.command(short_help="Show one account's statement.")
@_FROM_ITEMS
@click.option(
    "--snapshot", "folder", type=click.Path(path_type=Path), help="Read it from this snapshot."
)
@click.option("--html", type=click.Path(path_type=Path), help="Also write it as a page.")
@click.argument("account")
@_MORE_FILES
@common_options
def statement(
    common: Common,
    captures: tuple[Path, ...],
    folder: Path | None,
    html: Path | None,
    account: str,
    more: tuple[Path, ...],
) -> None:
    """Show the statement of ACCOUNT: a user id, or the partition key as stored.

    Without a source the account's partition is read live, strongly consistent. Exit status: 0 the
    stored counters equal the entries, 1 they differ, 3 they could not be judged.
    """
    from opskit.ledger.books import open_books
    from opskit.ledger.statement import account_statement
    from opskit.present import statement_html, statement_json, statement_text

    with _account_source(common, account, folder, captures + more) as taken:
        with open_books(taken) as books:
            answer = account_statement(books, account, as_of=common.as_of)
    if html:
        _write(html, statement_html(answer))
    if common.json:
        common.emit(statement_json(answer))
    else:
        click.echo(statement_text(answer))
    raise SystemExit(answer.exit_code)


@contextmanager
def _account_source(
    common: Common, account: str, folder: Path | None, captures: tuple[Path, ...]
) -> "Iterator[Snapshot]":
    """The snapshot a statement is made from: one named, one of captures, or the live partition."""
    if folder or captures:
        with _source(common, (folder,) if folder else (), captures) as taken:
            yield taken
        return
    from opskit.aws import dynamodb_client
    from opskit.read.scan import snapshot_account
    from opskit.read.snapshot import scratch_folder
    from opskit.settings import require

    settings = common.settings()
    require(settings, "billing")
    client = dynamodb_client(settings.connection)
    with scratch_folder() as out:
        yield snapshot_account(client, settings.table_names["billing"], account, out)
