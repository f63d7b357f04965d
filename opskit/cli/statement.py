"""The verb `statement`: one account over a period."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opskit.cli.exported import Exports, from_export
from opskit.cli.given import PATH
from opskit.cli.options import Common, common_options
from opskit.cli.outputs import require_writable, write_csv, write_text
from opskit.cli.sources import FROM_ITEMS, MORE_FILES, period_of, source
from opskit.errors import InputError

if TYPE_CHECKING:
    from opskit.ledger.period import Period
    from opskit.ledger.statement import Statement
    from opskit.read.snapshot import Snapshot

_OPTIONS = (
    FROM_ITEMS,
    click.option("--snapshot", "folder", type=PATH, help="Read it from this snapshot."),
    click.option("--from", "start", metavar="DATE", help="Begin at this UTC date."),
    click.option("--to", "end", metavar="DATE", help="End before this UTC date."),
    click.option("--html", type=PATH, help="Also write it as a page."),
    click.option("--csv", type=PATH, help="Also write the entries as CSV."),
    click.argument("account"),
    MORE_FILES,
)


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(short_help="Show one account's statement.")
@_options
@common_options
@from_export
def statement(common: Common, /, account: str, **given: Any) -> None:
    """Show the statement of ACCOUNT: a user id, or the partition key as stored.

    With --from and --to it covers that period, the end not included, with the balances it opens
    and closes with. Entries change state in place: a period in the past is as now restated.
    Without a source the account's partition is read live, strongly consistent. Exit status: 0 the
    stored counters equal the entries, 1 they differ, 3 they could not be judged.
    """
    period = period_of(given["start"], given["end"])
    require_writable({"--html": given["html"], "--csv": given["csv"]})
    sources = _Sources(given["folder"], given["captures"] + given["more"], given["exports"])
    with _account_source(common, account, sources) as taken:
        answer = _answer(common, taken, account, period)
    _write(answer, given["html"], given["csv"])
    _show(common, answer)
    raise SystemExit(answer.exit_code)


def _answer(common: Common, taken: "Snapshot", account: str, period: "Period") -> "Statement":
    from opskit.ledger.books import open_books
    from opskit.ledger.statement import account_statement

    with open_books(taken) as books:
        return account_statement(books, account, as_of=common.as_of, period=period)


def _write(answer: "Statement", html: Path | None, csv: Path | None) -> None:
    from opskit.present import statement_csv, statement_page

    if html:
        write_text(html, statement_page(answer))
    if csv:
        write_csv(csv, statement_csv(answer))


def _show(common: Common, answer: "Statement") -> None:
    from opskit.present import statement_json, statement_text

    if common.json:
        common.emit(statement_json(answer))
    else:
        click.echo(statement_text(answer))


@dataclass(frozen=True, slots=True)
class _Sources:
    """What was named to make a statement from: at most one of them is."""

    folder: Path | None
    captures: tuple[Path, ...]
    exports: Exports | None

    def __post_init__(self) -> None:
        named = {
            "--snapshot": self.folder, "--from-items": self.captures, "--from-export": self.exports
        }  # fmt: skip
        given = [option for option, value in named.items() if value]
        if len(given) > 1:
            raise InputError(f"two sources were given, {given[0]} and {given[1]}; give one of them")


@contextmanager
def _account_source(common: Common, account: str, given: _Sources) -> "Iterator[Snapshot]":
    """The snapshot a statement is made from: of what was named, or of the live partition."""
    if given.folder or given.captures or given.exports:
        folders = (given.folder,) if given.folder else ()
        with source(common, folders, given.captures, given.exports) as taken:
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
