"""The answer of ad-hoc SQL, and the columns it may ask for, as text, JSON and CSV."""

from typing import TYPE_CHECKING

from opskit.present.columns import columns, paragraph, underlined
from opskit.present.csv import Cell, csv_of
from opskit.present.json import exact
from opskit.present.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opskit.ledger.sql import Answer, ViewColumn

WIDEST = 40
NULL = "NULL"
_FIGURES = ("INT", "DECIMAL", "DOUBLE", "FLOAT", "NUMBER")


def answer_text(answer: "Answer") -> str:
    """The rows as a table whose text cannot act on a terminal, then how many there are."""
    rows = [[_cell(value) for value in row] for row in answer.rows]
    right = [n for n, kind in enumerate(answer.types) if any(word in kind for word in _FIGURES)]
    lines = columns(answer.names, rows, right=right, widest=WIDEST) if answer.names else []
    return "\n".join([*lines, "", _extent(answer)]) + "\n"


def _cell(value: object) -> str:
    return NULL if value is None else str(exact(value))


def _extent(answer: "Answer") -> str:
    rows = counted(len(answer.rows), "row")
    return f"The first {rows}; there are more, so narrow the SQL." if answer.cut else f"{rows}."


def answer_json(answer: "Answer") -> dict[str, object]:
    """The columns and rows; whole numbers as they are, decimals as text."""
    named = zip(answer.names, answer.types, strict=True)
    return {
        "columns": [{"name": name, "type": kind} for name, kind in named],
        "rows": [[exact(value) for value in row] for row in answer.rows],
        "cut": answer.cut,
    }


def answer_csv(answer: "Answer") -> str:
    """The rows for a spreadsheet; whole numbers are numbers, everything else is safe text."""
    return csv_of(answer.names, ([_csv_cell(value) for value in row] for row in answer.rows))


def _csv_cell(value: object) -> Cell:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    return str(exact(value))


def schema_text(found: "Sequence[ViewColumn]", *, width: int = 110) -> str:
    """Every view with its columns, their types and what they mean."""
    lines: list[str] = []
    view = ""
    for column in found:
        if column.view != view:
            view = column.view
            lines += underlined(view)
            lines += paragraph("", f"{column.about}.", width=width, hang=0)
        named = f"{column.name}  {column.type}"
        lines += paragraph(f"{named:<38}", column.words, width=width, indent=2, hang=40)
    return "\n".join(lines) + "\n"


def schema_json(found: "Sequence[ViewColumn]") -> dict[str, object]:
    """Every view by name, with its columns."""
    views: dict[str, dict[str, object]] = {}
    for column in found:
        view = views.setdefault(column.view, {"about": column.about, "columns": []})
        words = {"name": column.name, "type": column.type, "about": column.words}
        listed = view["columns"]
        assert isinstance(listed, list)
        listed.append(words)
    return {"views": views}
