"""The report's page in a real browser: offline, without scripts, readable at any width."""

from dataclasses import replace
from pathlib import Path

import pytest
from report_samples import DRIFT_CHECK, drift, failing, noting, report, result, statement

from opskit.audit.report import AuditReport, Outcome
from opskit.present import report_fragment, report_html, statement_page

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.browser

HOSTILE = (
    "<img src=x onerror=alert(1)><script>alert(2)</script>",
    "<svg/onload=alert(3)><a href='javascript:alert(4)'>x</a>",
    "\u202eevil\x1b[31m\x00 =cmd|' /C calc'!A0 $$x$$",
    "https://example.invalid/x.png <link rel=stylesheet href=https://example.invalid/x.css>",
)
LONG = "USER#auth0|" + "64f1c0de9a7b3c2d1e0f9a8b7c6d5e4f" * 4
VERDICT = "The books do not agree"


def crowded() -> AuditReport:
    """Many findings, long keys, hostile text, checks of every outcome."""
    many = [drift(f"USER#{number:04d}", {"owed_settled": -100}) for number in range(30)]
    many += [drift(LONG, {"payments_settled": 10**15}, currency="eur")]
    many += [replace(many[0], account=text, key=text, condition=text) for text in HOSTILE]
    evil = [replace(many[0], evidence={text: text, "list": [text]}) for text in HOSTILE]
    hostile = replace(result("links.hostile", *evil), title=HOSTILE[0], criterion=HOSTILE[1])
    noted = noting("analytics.pending_age", 60)
    seen = [replace(found, outcome=Outcome.NOTED) for found in (*many[-5:], *evil)]
    noted = replace(noted, observations=(*seen, *noted.observations))
    unjudged = (LONG, *HOSTILE)
    results = (result(DRIFT_CHECK, *many), hostile, *failing().results[1:], noted)
    return report(*results, unjudged=unjudged)


DOCUMENTS = {
    "crowded": lambda: report_html(crowded(), title=HOSTILE[0]),
    "fragment": lambda: f"<!doctype html><body>{report_fragment(crowded())}",
    "clean": lambda: report_html(report(result("balances.present", outcome=Outcome.PASSED))),
    "statement": lambda: statement_page(statement(account=LONG)),
}


@pytest.fixture(params=DOCUMENTS)
def document(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """One written page."""
    path = tmp_path / f"{request.param}.html"
    path.write_text(DOCUMENTS[request.param](), "utf-8")
    return path


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("width", [1200, 400])
def test_nothing_leaves_runs_or_overflows(
    browser: "sync_api.Browser", document: Path, width: int, *, scripts: bool
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
    heading = page.locator("h1").first
    assert heading.is_visible()
    assert heading.bounding_box()["y"] < 300
    context.close()
    assert requests == [document.as_uri()]
    assert trouble == []
    assert overflow[0] <= overflow[1]


def test_the_verdict_and_the_amount_at_risk_are_seen_first(
    browser: "sync_api.Browser", tmp_path: Path
) -> None:
    """Verdict, amount at risk, examined and not examined are on the first screen."""
    path = tmp_path / "page.html"
    path.write_text(report_html(failing()), "utf-8")
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.goto(path.as_uri(), timeout=20_000)
    for text in (VERDICT, "Amount at risk", "19.98 USD", "Examined", "Not examined or not decided"):
        found = page.get_by_text(text, exact=text != VERDICT).first
        assert found.is_visible(), text
        assert found.bounding_box()["y"] < 500, text
    page.close()


def test_hidden_findings_open_without_a_script_and_print_open(
    browser: "sync_api.Browser", tmp_path: Path
) -> None:
    """A long list unfolds on a click with scripts off, and is on paper unasked."""
    path = tmp_path / "page.html"
    path.write_text(report_html(crowded()), "utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri(), timeout=20_000)
    last = page.get_by_text("USER#0025", exact=True)
    assert not last.is_visible()
    page.emulate_media(media="print")
    assert last.is_visible()
    page.emulate_media(media="screen")
    page.locator(".check summary").first.click(timeout=5_000)
    assert last.is_visible()
    context.close()


def test_observations_open_on_a_click_and_stay_off_paper(
    browser: "sync_api.Browser", tmp_path: Path
) -> None:
    """They are folded away, fit a phone when opened, and are printed only by who opened them."""
    path = tmp_path / "page.html"
    path.write_text(report_html(crowded()), "utf-8")
    context = browser.new_context(java_script_enabled=False, viewport={"width": 400, "height": 900})
    page = context.new_page()
    page.goto(path.as_uri(), timeout=20_000)
    seen = page.get_by_text("LEDGER#00003", exact=True)
    shut = page.locator("#noted summary")
    count = page.locator("#noted .sub")
    assert not seen.is_visible()
    page.emulate_media(media="print")
    assert [seen.is_visible(), shut.is_visible(), count.is_visible()] == [False, False, True]
    page.emulate_media(media="screen")
    shut.click(timeout=5_000)
    assert seen.is_visible()
    overflow = page.locator("html").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert overflow[0] <= overflow[1]
    page.emulate_media(media="print")
    assert seen.is_visible()
    context.close()


def test_links_in_the_page_lead_to_the_findings(
    browser: "sync_api.Browser", tmp_path: Path
) -> None:
    """Each line of the contents scrolls to its check."""
    path = tmp_path / "page.html"
    path.write_text(report_html(crowded()), "utf-8")
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.goto(path.as_uri(), timeout=20_000)
    page.get_by_role("link", name="entries.known_posting_rule").click()
    heading = page.get_by_role("heading", name="Title of entries.known_posting_rule")
    assert 0 <= heading.bounding_box()["y"] < 900
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_contrasts_with_its_ground(
    browser: "sync_api.Browser", tmp_path: Path, scheme: str
) -> None:
    """Every text colour has a contrast of at least 4.5 to 1 in both colour schemes."""
    path = tmp_path / "page.html"
    path.write_text(report_html(crowded()), "utf-8")
    page = browser.new_page(color_scheme=scheme)
    page.goto(path.as_uri(), timeout=20_000)
    colours = page.evaluate(
        """() => [...document.querySelectorAll('.opskit *')].map(e => {
            let ground = e;
            while (ground.parentElement
                   && getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)')
                ground = ground.parentElement;
            return [getComputedStyle(e).color, getComputedStyle(ground).backgroundColor];
        })"""
    )
    page.close()
    pairs = {tuple(pair) for pair in colours}
    assert len(pairs) >= 5
    assert [pair for pair in pairs if _contrast(*pair) < 4.5] == []


def _contrast(ink: str, ground: str) -> float:
    light, dark = sorted((_luminance(ink), _luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.strip("rgba()").split(",")[:3]]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
