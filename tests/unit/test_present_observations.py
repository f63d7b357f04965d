"""What checks noted that is no fault is shown apart, cut with its total said, deciding nothing."""

import json
from dataclasses import replace

import pytest
from report_samples import DRIFT_CHECK, drift, failing, noting, report, result

from opskit.audit.report import AuditReport, Outcome, Severity
from opskit.present import (
    findings_csv,
    json_text,
    report_fragment,
    report_html,
    report_json,
    report_junit,
    report_text,
)
from opskit.present.words import amount_at_risk, headline, verdict_sentence

CLEAN = report(result("balances.present", outcome=Outcome.PASSED))
HEADING = "Noted, no faults"


def with_noted(judged: AuditReport, *, count: int = 60) -> AuditReport:
    """The report with a check more, which passed and noted so many accounts."""
    return replace(judged, results=(*judged.results, noting("analytics.pending_age", count)))


@pytest.mark.parametrize("judged", [CLEAN, failing()], ids=["clean", "failing"])
def test_observations_change_neither_verdict_nor_headline_nor_amount(judged: AuditReport) -> None:
    """However much is noted, even with a drift in its evidence, the answer stays as it was."""
    noted = with_noted(judged)
    assert len(noted.observations) == 60
    assert (noted.verdict, noted.exit_code) == (judged.verdict, judged.exit_code)
    assert headline(noted) == headline(judged)
    assert amount_at_risk(noted) == amount_at_risk(judged)
    assert findings_csv(noted) == findings_csv(judged)
    assert report_junit(noted).count("<failure") == report_junit(judged).count("<failure")
    assert report_text(noted).split("\n", 1)[0] == report_text(judged).split("\n", 1)[0]
    before, after = verdict_sentence(judged), verdict_sentence(noted)
    assert after.partition(" passed")[2] == before.partition(" passed")[2]


def test_text_shows_five_of_each_check_with_the_total() -> None:
    """Title, criterion, count, and five accounts with key, condition and evidence in units."""
    text = report_text(with_noted(failing()))
    noted = text[text.index("NOTED, NO FAULTS\n=====") : text.index("CONTROL TOTALS")]
    assert text.index("FINDINGS: HIGH") < text.index("NOTED, NO FAULTS")
    for part in (
        "Worth a look, and no fault by itself",
        "analytics.pending_age: 60 observations\n",
        "Title      Title of analytics.pending_age\n",
        "Criterion  Criterion of analytics.pending_age.\n",
        "    1. USER#00000 · LEDGER#00000\n       The debit has been pending for long.\n",
        "overdue  12.34 USD\n",
        "counter (USD)",
        "    5. USER#00004 · LEDGER#00004\n",
        "  … 55 more of this check: the JSON holds all.\n",
    ):
        assert part in noted, part
    assert "USER#00005" not in text


@pytest.mark.parametrize("width", [80, 100])
def test_noted_text_fits_the_terminal(width: int) -> None:
    """No line is wider than asked for."""
    lines = report_text(with_noted(failing()), width=width).splitlines()
    assert max(map(len, lines)) <= width


def test_the_page_folds_fifty_of_each_check_away_with_the_total() -> None:
    """After the findings, before the tables, closed, linked from the contents."""
    page = report_html(with_noted(failing()))
    noted = page[page.index(f"<h2>{HEADING}</h2>") : page.index("<h2>Checks</h2>")]
    assert page.index("<h2>Findings</h2>") < page.index(HEADING)
    for part in (
        "<h3>Title of analytics.pending_age</h3>",
        "<code>analytics.pending_age</code> · 60 observations",
        "Criterion of analytics.pending_age.",
        '<details class="unprinted"><summary>The first 50 of 60 observations</summary>',
        "<code>USER#00049</code><code>LEDGER#00049</code>",
        "The JSON holds every observation.",
        "<dd>12.34 USD</dd>",
        '<td class="figure">-1.00</td>',
    ):
        assert part in noted, part
    assert "USER#00050" not in page
    assert noted.count('class="finding"') == 50
    assert '<a href="#noted">1 check, no faults</a>' in page
    assert page.count(' id="noted"') == 1


def test_a_fragment_shows_fewer_and_has_no_anchor() -> None:
    """A notebook's output keeps short, and two of them share no ids."""
    html = report_fragment(with_noted(failing()))
    assert "The first 20 of 60 observations" in html
    assert " id=" not in html


def test_what_is_few_is_shown_whole() -> None:
    """Nothing is said to be cut where nothing is, and one is not spoken of as many."""
    judged = with_noted(CLEAN, count=1)
    text, page = report_text(judged), report_html(judged)
    assert "analytics.pending_age: 1 observation\n" in text
    assert "more of this check" not in text
    assert "<summary>Show 1 observation</summary>" in page


def test_without_observations_nothing_is_said_of_them() -> None:
    """A report that noted nothing has no section, no link and no rule for it."""
    for judged in (CLEAN, failing()):
        assert HEADING.upper() not in report_text(judged)
        assert HEADING not in report_html(judged)
        assert "#noted" not in report_html(judged)
        assert HEADING not in report_fragment(judged)


def test_checks_stand_by_severity_then_id() -> None:
    """What weighs more is read first, whatever order the checks ran in."""
    low = replace(noting("settings.autopay_collects", 1), severity=Severity.LOW)
    judged = report(noting("analytics.a", 1), noting("analytics.b", 1), low)
    for shown in (report_text(judged), report_html(judged)):
        noted = shown[shown.upper().index(HEADING.upper()) :]
        places = [noted.index(f"Title of {result.id}") for result in (low, *judged.results[:2])]
        assert places == sorted(places)


def test_a_check_with_both_has_its_findings_and_its_observations_apart() -> None:
    """The same check's faults stay among the findings, what it noted does not join them."""
    both = result(DRIFT_CHECK, drift("USER#fault", {"owed_settled": -5}))
    both = replace(both, observations=noting(DRIFT_CHECK, 1).observations)
    for shown in (report_text(report(both)), report_html(report(both))):
        findings, noted = shown.split(HEADING if HEADING in shown else HEADING.upper(), 1)
        assert "USER#fault" in findings
        assert "USER#00000" not in findings
        assert "USER#00000" in noted


def test_json_holds_every_observation() -> None:
    """What the text and the page cut is all there, marked as noted."""
    document = json.loads(json_text(report_json(with_noted(failing()))))
    assert len(document["observations"]) == 60
    assert {seen["outcome"] for seen in document["observations"]} == {"noted"}
    assert document["checks"][-1]["observations"] == 60
    assert len(document["findings"]) == len(failing().findings)


def test_observations_about_no_account_leave_no_empty_place() -> None:
    """A check of the whole book, by month say, names its key alone."""
    noted = noting("analytics.reversal_rate", 1)
    seen = replace(noted.observations[0], account="", key="2026-06")
    judged = report(replace(noted, observations=(seen,)))
    assert "    1. 2026-06\n" in report_text(judged)
    assert '<p class="place"><code>2026-06</code></p>' in report_html(judged)


def test_masked_evidence_leaves_no_secret_in_an_observation() -> None:
    """A canary under listed attributes of an observation shows up nowhere."""
    noted = noting("analytics.pending_age", 1)
    secrets = {"email": "canary@example.com", "raw": {"x": "canary"}, "nested": [{"ip": "canary"}]}
    seen = replace(noted.observations[0], evidence=secrets)
    judged = report(replace(noted, observations=(seen,)))
    for shown in (report_text(judged), report_html(judged), json_text(report_json(judged))):
        assert "canary" not in shown
