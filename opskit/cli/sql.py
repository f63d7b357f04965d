"""The verb `sql`: questions of one's own to the books."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opskit.cli.exported import from_export
from opskit.cli.given import PATH
from opskit.cli.options import Common, common_options
from opskit.cli.outputs import require_writable, write_csv
from opskit.cli.sources import FROM_ITEMS, SOURCES, source
from opskit.errors import EXIT_INCOMPLETE, InputError

if TYPE_CHECKING:
    from opskit.ledger.sql import Answer


@click.command(short_help="Ask the books a question in SQL.")
@FROM_ITEMS
@click.option("--csv", type=PATH, help="Also write the answer as CSV.")
@click.option("--schema", is_flag=True, help="List the views and what their columns mean.")
@click.argument("text", required=False, metavar='"SELECT ..."')
@SOURCES
@common_options
@from_export
def sql(common: Common, /, text: str | None, *, schema: bool, **given: Any) -> None:
    """Answer one SELECT over the views of a snapshot, captures, or the live billing table.

    It only reads: copies of the rows, with what is secret or personal masked, on an engine that
    reaches no file and no network. At most 10,000 rows, 60 seconds and 900 MB. Exit status: 0 the
    whole answer, 2 could not do it, 3 there are more rows than were shown.
    """
    if schema:
        _show_schema(common)
        return
    if text is None:
        raise InputError("SQL is missing; give one SELECT, or --schema to see what there is")
    require_writable({"--csv": given["csv"]})
    answer = _answer(common, text, given)
    _show_answer(common, answer, given["csv"])
    raise SystemExit(EXIT_INCOMPLETE if answer.cut else 0)


def _show_schema(common: Common) -> None:
    from opskit.ledger.sql import schema
    from opskit.present.answer import schema_json, schema_text

    if common.json:
        common.emit(schema_json(schema()))
    else:
        click.echo(schema_text(schema()), nl=False)


def _answer(common: Common, text: str, given: Mapping[str, Any]) -> "Answer":
    """The answer from the source that was named; SQL that may not be asked opens none."""
    from opskit.ledger.books import open_books, set_clock
    from opskit.ledger.sql import ask, require_answerable

    require_answerable(text)
    taking = source(common, given["sources"], given["captures"], given["exports"])
    with taking as taken, open_books(taken) as books:
        set_clock(books, int(common.as_of.timestamp()), settle_window=0)
        return ask(books, text)


def _show_answer(common: Common, answer: "Answer", csv: Path | None) -> None:
    from opskit.present.answer import answer_csv, answer_json, answer_text

    if csv:
        write_csv(csv, answer_csv(answer))
    if common.json:
        common.emit(answer_json(answer))
    else:
        click.echo(answer_text(answer), nl=False)
