"""The verb `books`: the books as an accountant closes them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opskit.cli.exported import from_export
from opskit.cli.options import Common, common_options
from opskit.cli.sources import FROM_ITEMS, SOURCES, period_of, source, write_csv, write_text

if TYPE_CHECKING:
    from opskit.audit.ledger_report import LedgerReport
    from opskit.read.snapshot import Snapshot

_PATH = click.Path(path_type=Path)
_OPTIONS = (
    FROM_ITEMS,
    click.option("--from", "start", metavar="DATE", help="Begin at this UTC date."),
    click.option("--to", "end", metavar="DATE", help="End before this UTC date."),
    click.option("--previous", type=_PATH, help="An earlier snapshot or pack of these books."),
    click.option(
        "--buckets", metavar="DAYS", help="Where the ages part; 30,60,90,120 unless given."
    ),
    click.option("--html", type=_PATH, help="Also write the books as a page."),
    click.option("--csv", type=_PATH, help="Also write every figure as CSV."),
    SOURCES,
)


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(short_help="Close the books: roll-forward, control totals, ageing.")
@_options
@common_options
@from_export
def books(common: Common, /, **given: Any) -> None:
    """Close the books of a snapshot, captures, an export, or else the live billing table.

    Per currency: the roll-forward (opening, what moved, closing), control accounts (stored beside
    computed, the difference explained or not), aged receivables and pending; then the proof that
    nothing that was read is left out. With --previous: what became of the earlier closing, and
    every entry that rewrites it. Exit status: 0 the books tie, 1 they do not, 3 not everything
    could be judged.
    """
    with source(common, given["sources"], given["captures"], given["exports"]) as taken:
        report = _report(common, taken, given)
    _write(report, given["html"], given["csv"])
    _show(common, report)
    raise SystemExit(report.exit_code)


def _report(common: Common, taken: "Snapshot", given: dict[str, Any]) -> "LedgerReport":
    from opskit.audit.ledger_report import ledger_report
    from opskit.ledger.ageing import DEFAULT_DAYS, bucket_days

    return ledger_report(
        taken,
        as_of=common.as_of,
        period=period_of(given["start"], given["end"]),
        previous=_previous(given["previous"]),
        days=DEFAULT_DAYS if given["buckets"] is None else bucket_days(given["buckets"]),
    )


def _previous(folder: Path | None) -> "Snapshot | None":
    """The earlier snapshot: the folder itself, or the one inside a pack."""
    from opskit.read.snapshot import open_snapshot

    if folder is None:
        return None
    packed = folder / "snapshot"
    return open_snapshot(packed if packed.is_dir() else folder)


def _write(report: "LedgerReport", html: Path | None, csv: Path | None) -> None:
    from opskit.present import books_csv, books_page

    if html:
        write_text(html, books_page(report))
    if csv:
        write_csv(csv, books_csv(report))


def _show(common: Common, report: "LedgerReport") -> None:
    from opskit.present import books_json, books_text

    if common.json:
        common.emit(books_json(report))
    else:
        click.echo(books_text(report), nl=False)
