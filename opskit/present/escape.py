"""The only module that builds HTML, and that makes hostile text harmless for every sink.

Whatever an item holds is text: no markup, formula or terminal escape in it survives. Elements are
values from closed sets of tags and attributes; text enters a page only through `render`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape as escape_markup
from importlib import resources

from opskit.tables.personal import MASK as MASK  # noqa: PLC0414 - masking is part of showing
from opskit.tables.personal import MASKED_ATTRIBUTES as MASKED_ATTRIBUTES  # noqa: PLC0414
from opskit.tables.personal import mask as mask  # noqa: PLC0414
from opskit.tables.personal import masked as masked  # noqa: PLC0414

TAGS = frozenset(
    "a article body caption code dd details div dl dt footer h1 h2 h3 h4 head header html li main"
    " meta nav ol p section small span strong style summary table tbody td th thead time title"
    " tr ul".split()
)
ATTRIBUTES = frozenset(
    "aria-hidden aria-label aria-labelledby charset class colspan content datetime href http-equiv"
    " id lang name open role scope start tabindex".split()
)
VOID_TAGS = frozenset({"meta"})
CONTENT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
UNTYPESET = "tex2jax_ignore mathjax_ignore"
"""Classes that keep a notebook's MathJax from typesetting `$...$` inside an item's text."""

_FORMULA = re.compile(r"[\s\u200b\ufeff]*[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001
_SECOND_FORMULA = re.compile(r"(;\s*)(?=[=+\-@＝＋－＠])")  # noqa: RUF001


def plain(text: str) -> str:
    r"""One line of text in which nothing can act on a terminal or reorder what is read.

    Controls, bidirectional and invisible characters, line ends and lone surrogates are spelled
    out (`\x1b`, `\u202e`); what is printable stays as it is.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _spelled(char) for char in text)


def _spelled(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def csv_text(text: str) -> str:
    """A cell of text that no spreadsheet takes for a formula; a leading `'` marks a changed one.

    Numbers do not come here: a negative amount is data. A formula sign after a semicolon is marked
    too, since a spreadsheet of another locale splits cells there.
    """
    safe = _SECOND_FORMULA.sub(r"\1'", plain(text))
    return f"'{safe}" if _FORMULA.match(text) or _FORMULA.match(safe) else safe


@dataclass(frozen=True, slots=True)
class Element:
    """One HTML element; its children are elements, or text that `render` escapes."""

    tag: str
    attributes: tuple[tuple[str, str], ...]
    children: "tuple[Node, ...]"


Node = Element | str


def element(tag: str, *children: Node | None, **attributes: str | None) -> Element:
    """An element of the closed sets; `_` in an attribute's name is `-`, a final one is dropped.

    Absent (None) children and attributes are left out. Raises ValueError for any other tag or
    attribute, and for a link that leaves the page.
    """
    named = tuple(
        (name.rstrip("_").replace("_", "-"), text)
        for name, text in attributes.items()
        if text is not None
    )
    refused = [name for name, _ in named if name not in ATTRIBUTES]
    if tag not in TAGS or tag == "style" or refused:
        raise ValueError(f"not an element opskit builds: {tag} {refused}")
    if any(name == "href" and not text.startswith("#") for name, text in named):
        raise ValueError("a link may only lead to a place on the same page")
    return Element(tag, named, tuple(child for child in children if child is not None))


def render(node: Node) -> str:
    """HTML of an element or text, everything that is not an element escaped."""
    return "".join(_pieces(node))


def _pieces(node: Node) -> Iterator[str]:
    if isinstance(node, str):
        yield escape_markup(plain(node))
        return
    attributes = "".join(f' {name}="{_attribute(text)}"' for name, text in node.attributes)
    yield f"<{node.tag}{attributes}>"
    if node.tag in VOID_TAGS:
        return
    for child in node.children:
        yield from _pieces(child)
    yield f"</{node.tag}>"


def _attribute(text: str) -> str:
    return escape_markup(plain(text), quote=True)


def _style(*names: str, more: str = "") -> str:
    folder = resources.files("opskit.present")
    css = "".join(folder.joinpath(name).read_text("utf-8") for name in names) + more
    if "</" in css or "<!" in css:
        raise ValueError("a style sheet must not hold markup")
    return f"<style>{css}</style>"


def page(title: str, body: Element, *, style: str = "") -> str:
    """A whole page: offline, without scripts, its style inside, nothing fetched.

    `style` is CSS of the caller's own, after the reports'.
    """
    metas = (
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=CONTENT_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
    )
    head = "".join(render(meta) for meta in metas)
    sheet = _style("report.css", "page.css", more=style)
    page_body = element("body", body, class_="opskit-page")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>{head}\n{sheet}</head>\n'
        f"{render(page_body)}\n</html>\n"
    )


def fragment(body: Element) -> str:
    """A part of another page, a notebook's output, with the style it needs."""
    return f"{_style('report.css')}{render(body)}"
