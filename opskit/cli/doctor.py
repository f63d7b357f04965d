"""The verb doctor: whether opskit could work here, and where every setting came from."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from opskit.cli.options import Common, common_options

if TYPE_CHECKING:
    from opskit.inspection.doctor import Diagnosis, Reading


@click.command(short_help="Show every setting, where it came from, and whether AWS answers.")
@common_options
def doctor(common: Common) -> None:
    """Show every setting, its origin and verdict, then credentials, region and endpoint.

    Exit status: 0 when opskit could work, 2 when a setting, the credentials or the endpoint
    cannot be used. Nothing is changed anywhere.
    """
    from opskit.inspection.doctor import diagnose

    diagnosis = diagnose(common.settings())
    if common.json:
        common.emit(document(diagnosis))
    else:
        click.echo("\n".join(lines(diagnosis)))
    raise SystemExit(diagnosis.exit_code)


def document(diagnosis: "Diagnosis") -> dict[str, object]:
    """The diagnosis as one JSON document."""
    return {
        "outcome": diagnosis.health.value,
        "settings": [_fields(reading) for reading in diagnosis.settings],
        "access": [_fields(reading) for reading in diagnosis.access],
    }


def _fields(reading: "Reading") -> dict[str, str]:
    return {
        "subject": reading.subject,
        "value": reading.value,
        "source": reading.source,
        "outcome": reading.health.value,
        "note": reading.note,
    }


def lines(diagnosis: "Diagnosis") -> Iterator[str]:
    """The diagnosis as aligned columns, with a reading's note below it."""
    readings = (*diagnosis.settings, *diagnosis.access)
    widths = [
        max(len(_cell(text)) for text in column)
        for column in zip(*(_columns(reading) for reading in readings), strict=True)
    ]
    for title, part in (("settings", diagnosis.settings), ("access", diagnosis.access)):
        yield title
        for reading in part:
            cells = (
                _cell(text).ljust(width)
                for text, width in zip(_columns(reading), widths, strict=True)
            )
            yield f"  {'  '.join(cells)}".rstrip()
            if reading.note:
                yield f"  {' ' * widths[0]}  {_cell(reading.note)}"


def _columns(reading: "Reading") -> tuple[str, str, str, str]:
    return reading.health.value, reading.subject, reading.value or "-", reading.source


def _cell(text: str) -> str:
    from opskit.present.escape import plain

    return plain(text)
