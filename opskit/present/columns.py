"""Plain text in columns: what a terminal needs to line figures up."""

import textwrap
from collections.abc import Collection, Iterator, Sequence
from unicodedata import combining, east_asian_width

from opskit.present.escape import plain

GAP = "  "


def cells_wide(text: str) -> int:
    """How many terminal cells a line of text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(char) else 1 + (east_asian_width(char) in "WF") for char in text)


def clipped_to(text: str, width: int) -> str:
    """One safe line no wider than `width`, an ellipsis where it was cut."""
    safe = plain(text)
    if cells_wide(safe) <= width:
        return safe
    kept = safe[: max(width - 1, 0)]
    while cells_wide(kept) > width - 1:
        kept = kept[:-1]
    return f"{kept}…"


def columns(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[int] = (),
    widest: int = 60,
) -> list[str]:
    """Lines of a table: headings, then a row each; columns at `right` hold figures."""
    safe = [[clipped_to(cell, widest) for cell in row] for row in (headings, *rows)]
    widths = [max(cells_wide(row[index]) for row in safe) for index in range(len(headings))]
    return [_row(row, widths, right) for row in safe]


def _row(cells: Sequence[str], widths: Sequence[int], right: Collection[int]) -> str:
    padded = []
    for index, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        space = " " * (width - cells_wide(cell))
        padded.append(space + cell if index in right else cell + space)
    return GAP.join(padded).rstrip()


def paragraph(label: str, text: str, *, width: int, indent: int = 0, hang: int = 11) -> list[str]:
    """A label and its text, wrapped, every further line hanging under the text."""
    first = " " * indent + f"{label:<{hang}}"
    wrapped = textwrap.wrap(
        plain(" ".join(text.split())),
        width,
        initial_indent=first,
        subsequent_indent=" " * (indent + hang),
        break_on_hyphens=False,
    )
    return wrapped or [first.rstrip()]


def underlined(heading: str, mark: str = "-") -> Iterator[str]:
    """A heading with a blank line before it and a rule below."""
    yield ""
    yield heading
    yield mark * cells_wide(heading)
