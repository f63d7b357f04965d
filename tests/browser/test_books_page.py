"""The page of the books in a real browser: offline, without scripts, and on paper."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from captures import balance, entry, write_capture

from opskit.audit.ledger_report import ledger_report
from opskit.present import books_page
from opskit.read.capture import read_captures

pytestmark = pytest.mark.browser

AS_OF = datetime(2026, 12, 1, tzinfo=UTC)
HOSTILE = "USER#<img src=x onerror=alert(1)><script>alert(2)</script>"
LONG = "USER#auth0|" + "64f1c0de9a7b3c2d1e0f9a8b7c6d5e4f" * 4
PAPER = {"width": 672, "height": 980}
"""What is left of a sheet of A4 between its margins, in the units of the page."""

TOTALS = (
    "The books do not tie",
    "Roll-forward in USD",
    "Control accounts in USD",
    "Aged receivables in USD",
    "Aged pending in USD",
    "Restated entries",
    "Population",
)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Books of many accounts, hostile and long ids and large amounts, beside an earlier pack."""
    folder = tmp_path_factory.mktemp("books")
    accounts = [f"USER#{number:04d}" for number in range(60)] + [HOSTILE, LONG]
    items = [entry(account, n, 10**11 + n) for n, account in enumerate(accounts, 1)]
    items += [entry(account, 100, 700, state="pending") for account in accounts[:9]]
    items += [balance(account, owed_settled=10**11) for account in accounts]
    earlier = read_captures([write_capture(folder / "e.jsonl", items[40:])], folder / "earlier")
    now = read_captures([write_capture(folder / "n.jsonl", items)], folder / "now")
    report = ledger_report(now, as_of=AS_OF, previous=earlier)
    path = folder / "books.html"
    path.write_text(books_page(report), "utf-8")
    return path


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("width", [1200, 400])
def test_nothing_leaves_runs_or_overflows(
    browser: Any, document: Path, width: int, *, scripts: bool
) -> None:
    """One request (the file), no console message, no dialog, no sideways scrolling."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=scripts, offline=True
    )
    page = context.new_page()
    requests: list[str] = []
    trouble: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
    page.goto(document.as_uri(), timeout=20_000)
    overflow = page.locator("html").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert page.locator("h1").bounding_box()["y"] < 300
    context.close()
    assert (requests, trouble) == ([document.as_uri()], [])
    assert overflow[0] <= overflow[1]


def test_on_paper_every_total_is_there_and_nothing_is_cut(browser: Any, document: Path) -> None:
    """Within the margins of a sheet: each table whole, its headings again on every sheet."""
    context = browser.new_context(viewport=PAPER, java_script_enabled=False)
    page = context.new_page()
    page.goto(document.as_uri(), timeout=20_000)
    page.emulate_media(media="print")
    for text in TOTALS:
        assert page.get_by_text(text, exact=True).first.is_visible(), text
    for name in ("opening", "closing", "stored less closing", "all accounts"):
        assert page.get_by_role("rowheader", name=name, exact=True).first.is_visible(), name
    wide = page.locator("html").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert wide[0] <= wide[1]
    heads = page.locator("thead").evaluate_all("a => a.map(e => getComputedStyle(e).display)")
    assert set(heads) == {"table-header-group"}
    kept = page.locator("tbody tr").evaluate_all("a => a.map(e => getComputedStyle(e).breakInside)")
    assert set(kept) == {"avoid"}
    context.close()


def test_the_page_prints(browser: Any, document: Path) -> None:
    """The browser makes a PDF of several numbered sheets of it."""
    page = browser.new_page()
    page.goto(document.as_uri(), timeout=20_000)
    pdf = page.pdf(prefer_css_page_size=True)
    page.close()
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") >= 3


def test_every_column_has_a_heading_and_totals_come_before_lists(
    browser: Any, document: Path
) -> None:
    """Headings name columns and rows, for a screen reader too; what is long comes last."""
    page = browser.new_page()
    page.goto(document.as_uri(), timeout=20_000)
    columns = page.locator("th[scope=col]").all_inner_texts()
    rows = page.locator("tbody tr").count()
    assert columns
    assert all(text.strip() for text in columns)
    assert page.locator("tbody th[scope=row]").count() == rows
    assert page.locator("table").count() == page.locator("table > caption").count()
    titles = page.locator("h2").all_inner_texts()
    page.close()
    places = [titles.index(title) for title in TOTALS[1:]]
    assert places == sorted(places)
