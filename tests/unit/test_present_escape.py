"""What keeps hostile text harmless: plain text, spreadsheet cells, masks and HTML elements."""

import re
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opskit.present.escape import (
    ATTRIBUTES,
    MASK,
    MASKED_ATTRIBUTES,
    csv_text,
    element,
    fragment,
    mask,
    masked,
    page,
    plain,
    render,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_plain_text_has_no_character_that_acts(text: str) -> None:
    """No control, format, separator or surrogate character is left in plain text."""
    kinds = {unicodedata.category(char) for char in plain(text)}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb", "a\\u202eb"),
        ("nul\x00", "nul\\x00"),
        ("\x9b2J", "\\x9b2J"),
        ("lone \ud800", "lone \\ud800"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("two\nlines", "two\\x0alines"),
        ("Zoë 東京 ✓", "Zoë 東京 ✓"),
    ],
)
def test_plain_text_spells_out_what_it_replaces(text: str, shown: str) -> None:
    """Every dangerous character is visible by its code, and readable text is unchanged."""
    assert plain(text) == shown


@given(ANY_TEXT)
def test_no_cell_of_a_spreadsheet_starts_a_formula(text: str) -> None:
    """However it starts, a cell's first visible character is never a formula sign."""
    assert not csv_text(text).lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))  # noqa: RUF001


def test_a_harmless_cell_is_unchanged() -> None:
    """Keys, sentences and JSON come through as they are."""
    for text in ("USER#pp-0001", "a = b", '{"drift": {"owed_settled": -100}}', ""):
        assert csv_text(text) == text


def test_a_formula_behind_a_semicolon_is_marked() -> None:
    """A locale that separates cells by semicolons finds no formula either."""
    assert csv_text("ok; =1+1") == "ok; '=1+1"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("someone@example.com", "s•••@•••"),
        ("+491701234567", "•••67"),
        ("192.0.2.10", MASK),
        ("AQICAHh", MASK),
        ({"id": "evt_1"}, MASK),
        (123456, MASK),
    ],
)
def test_a_mask_gives_away_neither_owner_nor_secret(value: object, shown: str) -> None:
    """Addresses and numbers keep a hint, everything else nothing."""
    assert mask(value) == shown


@pytest.mark.parametrize("name", sorted(MASKED_ATTRIBUTES))
def test_every_listed_attribute_is_masked_at_any_depth(name: str) -> None:
    """A listed attribute shows nothing of its value, inside maps and lists too."""
    canary = "canary-value"
    shown = masked("", {"meta": [{name: canary}], f"meta.{name}": canary, "account": "USER#1"})
    assert canary not in repr(shown)
    assert "USER#1" in repr(shown)
    assert masked(name, None) is None


def test_an_address_is_masked_inside_a_label() -> None:
    """A payer's address in free text is masked, the words around it are kept."""
    assert masked("label", "PayPal someone@example.com (work)") == "PayPal s•••@••• (work)"


@pytest.mark.parametrize("tag", ["script", "iframe", "img", "style", "svg", "p onclick=x", "form"])
def test_an_element_outside_the_closed_set_is_refused(tag: str) -> None:
    """Nothing that runs or fetches can be built."""
    with pytest.raises(ValueError, match="not an element"):
        element(tag)


@pytest.mark.parametrize("name", ["onclick", "style", "src", "srcdoc"])
def test_an_attribute_outside_the_closed_set_is_refused(name: str) -> None:
    """No handler, style or address can be given to an element."""
    assert name not in ATTRIBUTES
    with pytest.raises(ValueError, match="not an element"):
        element("p", **{name: "x"})


@pytest.mark.parametrize("target", ["javascript:alert(1)", "https://example.com", "//x", "data:,"])
def test_a_link_never_leaves_the_page(target: str) -> None:
    """Only places on the same page can be linked to."""
    with pytest.raises(ValueError, match="same page"):
        element("a", "x", href=target)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@given(ANY_TEXT, ANY_TEXT)
def test_rendered_text_and_attributes_read_back_as_text(text: str, label: str) -> None:
    """A parser finds one element, one attribute and the plain text, whatever they hold."""
    reader = _Reader()
    reader.feed(render(element("p", text, aria_label=label)))
    reader.close()
    assert reader.tags == ["p"]
    assert reader.attributes == [("aria-label", plain(label))]
    assert reader.text == plain(text)


def test_a_page_forbids_scripts_and_fetching() -> None:
    """The page's policy allows its own style and nothing else, before anything else is read."""
    html = page("a <title>", element("main", "x"))
    assert "default-src &#x27;none&#x27;; style-src &#x27;unsafe-inline&#x27;" in html
    assert html.index("Content-Security-Policy") < html.index("<style>")
    assert "<title>a &lt;title&gt;</title>" in html
    html.encode("utf-8")


def test_a_fragment_styles_only_its_own_root() -> None:
    """Every rule of a fragment's style is scoped, so a notebook around it is left alone."""
    html = fragment(element("div", class_="opskit"))
    style = html[html.index("<style>") + 7 : html.index("</style>")]
    selectors = re.findall(r"(?:^|[}{/])\s*([^{}/@]+?)\s*\{", style)
    loose = [one for rule in selectors for one in rule.split(",") if ".opskit" not in one]
    assert len(selectors) > 50
    assert not loose
    assert "@page" not in style
