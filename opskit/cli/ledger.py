"""The verb `books`: the books as an accountant closes them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opskit.cli.auditing import (
    NO_CONFIRM,
    SETTLE_WINDOW_OPTION,
    Books,
    audited,
    confirmed,
    parameters_of,
)
from opskit.cli.exported import from_export
from opskit.cli.given import DEADLINE, PATH
from opskit.cli.options import Common, common_options
from opskit.cli.outputs import require_writable, write_csv, write_text
from opskit.cli.sources import FROM_ITEMS, SOURCES, period_of, source

if TYPE_CHECKING:
    from opskit.audit.confirm import Confirmed
    from opskit.audit.ledger_report import LedgerReport
    from opskit.ledger.period import Period
    from opskit.read.snapshot import Snapshot

_OPTIONS = (
    FROM_ITEMS,
    click.option("--from", "start", metavar="DATE", help="Begin at this UTC date."),
    click.option("--to", "end", metavar="DATE", help="End before this UTC date."),
    click.option("--previous", type=PATH, help="An earlier snapshot or pack of these books."),
    click.option(
        "--buckets", metavar="DAYS", help="Where the ages part; 30,60,90,120 unless given."
    ),
    click.option("--html", type=PATH, help="Also write the books as a page."),
    click.option("--csv", type=PATH, help="Also write every figure as CSV."),
    SETTLE_WINDOW_OPTION,
    NO_CONFIRM,
    DEADLINE,
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
    every entry that rewrites it. Accounts of the live table that drift are read again until they
    have lain still, as `opskit audit` does. Exit status: 0 the books tie, 1 they do not, 3 not
    everything could be judged.
    """
    require_writable({"--html": given["html"], "--csv": given["csv"]})
    asked = _Asked(
        period_of(given["start"], given["end"]), _previous(given["previous"]), _days(given)
    )
    with _judged(common, given) as judged:
        report = _report(judged, asked)
    _write(report, given["html"], given["csv"])
    _show(common, report)
    raise SystemExit(report.exit_code)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the options named, found good before the books are read."""

    period: "Period"
    previous: "Snapshot | None"
    days: tuple[int, ...]


def _days(given: dict[str, Any]) -> tuple[int, ...]:
    from opskit.ledger.ageing import DEFAULT_DAYS, bucket_days

    return DEFAULT_DAYS if given["buckets"] is None else bucket_days(given["buckets"])


@contextmanager
def _judged(common: Common, given: dict[str, Any]) -> "Iterator[Confirmed]":
    """The snapshot of what was named, and where its accounts drift: confirmed where it is live."""
    from opskit.audit.confirm import Confirmed
    from opskit.audit.ledger_report import drift_checks
    from opskit.read.snapshot import scratch_folder

    named = (given["sources"], given["captures"])
    books = Books(*named, drift_checks(), {}, history=False, exports=given["exports"])
    window = parameters_of(common, books, given["settle_window"])
    books = replace(books, parameters=window)
    taking = source(common, *named, given["exports"], within=given["deadline"])
    with taking as taken, scratch_folder() as scratch:
        if books.live and not given["no_confirm"]:
            yield Confirmed(*confirmed(common, books, (taken, scratch), given["deadline"]))
        else:
            yield Confirmed(audited(common, books, taken), taken)


def _report(judged: "Confirmed", asked: _Asked) -> "LedgerReport":
    from opskit.audit.ledger_report import judged_report

    return judged_report(judged, period=asked.period, previous=asked.previous, days=asked.days)


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
