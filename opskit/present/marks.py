"""The pieces of HTML that reports and statements share: states, tables, labelled facts."""

from collections.abc import Collection, Iterable, Sequence

from opskit.audit.report import Outcome
from opskit.present.escape import Element, Node, element
from opskit.present.words import OUTCOME_ICONS, OUTCOME_WORDS

Cell = Node
Row = Sequence[Cell]


def state(outcome: Outcome) -> Element:
    """An outcome as icon and word, so that its colour is never needed to read it."""
    return element(
        "span", icon(outcome), OUTCOME_WORDS[outcome].capitalize(), class_=f"state is-{outcome}"
    )


def icon(outcome: Outcome) -> Element:
    """An outcome's sign alone, silent to a screen reader; a word always stands beside it."""
    return element("span", OUTCOME_ICONS[outcome], class_="icon", aria_hidden="true")


def code(text: str) -> Element:
    """An identifier as stored."""
    return element("code", text)


def facts_list(facts: Iterable[tuple[str, Node]], *, class_: str = "facts") -> Element:
    """Names with their values."""
    pairs = (element("div", element("dt", name), element("dd", value)) for name, value in facts)
    return element("dl", *pairs, class_=class_)


def grid(
    caption: str,
    headings: Sequence[str],
    rows: Iterable[Row],
    *,
    figures: Collection[int] = (),
    class_: str = "",
) -> Element:
    """A captioned table whose first cells head their rows; columns at `figures` hold numbers."""
    kinds = ["figure" if index in figures else None for index in range(len(headings))]
    head = (
        element("th", heading[:1].upper() + heading[1:], scope="col", class_=kind)
        for heading, kind in zip(headings, kinds, strict=True)
    )
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *head)),
        element("tbody", *(_row(row, kinds) for row in rows)),
        class_=class_ or None,
    )


def _row(cells: Row, kinds: Sequence[str | None]) -> Element:
    first, *others = cells
    rest = (element("td", cell, class_=kind) for cell, kind in zip(others, kinds[1:], strict=True))
    return element("tr", element("th", first, scope="row", class_=kinds[0]), *rest)


def pairs_table(caption: str, rows: Iterable[tuple[str, str]]) -> Element:
    """Labelled values as a captioned two-column table; long values wrap."""
    body = (
        element("tr", element("th", label, scope="row"), element("td", value))
        for label, value in rows
    )
    return element("table", element("caption", caption), element("tbody", *body), class_="pairs")


def scrolling(table: Element, label: str) -> Element:
    """A region that scrolls sideways, by keyboard too, where the page is too narrow for a table."""
    return element("div", table, class_="scroll", role="region", aria_label=label, tabindex="0")


def section(
    heading: str, *children: Node | None, level: str = "h2", id_: str | None = None
) -> Element:
    """A section under its heading."""
    return element("section", element(level, heading), *children, id_=id_, class_=f"of-{level}")


def folded(summary: str, *children: Node, class_: str | None = None) -> Element:
    """A part that opens without a script, and prints open unless its class is `unprinted`."""
    return element("details", element("summary", summary), *children, class_=class_)
