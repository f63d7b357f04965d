"""What each rendering of a report and a statement says."""

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import pytest
from report_samples import (
    AS_OF,
    DRIFT_CHECK,
    ENTRY,
    drift,
    failing,
    report,
    result,
    statement,
)

from opskit.audit.report import AuditReport, Finding, Outcome, Severity
from opskit.ledger.counters import Counters
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
from opskit.present.words import amount_at_risk

CLEAN = report(result("balances.present", outcome=Outcome.PASSED))
UNDECIDED = report(result("x.y", outcome=Outcome.INCONCLUSIVE, reason="unknown rule"))


def test_the_amount_at_risk_is_absolute_per_currency_and_never_netted() -> None:
    """Opposite drifts add up, and currencies stay apart."""
    assert amount_at_risk(failing()) == {"USD": 1998, "JPY": 100}


def test_the_amount_at_risk_takes_an_accounts_counter_once() -> None:
    """Two checks that state one drift do not double it; undecided findings add nothing."""
    twice = report(
        result("a.a", drift("USER#a", {"owed_settled": -100}, check="a.a")),
        result("b.b", drift("USER#a", {"owed_settled": -100}, check="b.b")),
        result("c.c", drift("USER#b", {"owed_settled": 7}, outcome=Outcome.INCONCLUSIVE)),
    )
    assert amount_at_risk(twice) == {"USD": 100}


def test_json_keeps_the_contract() -> None:
    """The document has the contract's keys, and drift in minor units."""
    document = json.loads(json_text(report_json(failing())))
    contract = {"verdict", "as_of", "examined", "checks", "findings", "control_totals"}
    assert contract <= document.keys()
    assert document["verdict"] == "findings"
    assert document["as_of"] == "2026-12-01T00:00:00Z"
    first, check = document["findings"][0], document["checks"][0]
    assert (check["id"], check["findings"], check["outcome"]) == (DRIFT_CHECK, 2, "failed")
    assert first["account"] == "USER#a"
    assert first["evidence"]["drift"] == {"payments_pending": -999, "payments_settled": 999}
    assert first["explanation"] == {
        "class": "settled twice",
        "candidates": [[ENTRY], ["LEDGER#2", "LEDGER#3"]],
        "text": "Two fit.",
    }
    assert document["findings"][2]["explanation"] is None
    totals = document["control_totals"]["usd"]["owed_settled"]
    assert totals == {"stored": 40000, "computed": 30000, "difference": 10000}


def test_json_is_exact_about_every_kind_of_value() -> None:
    """Decimals and times keep all their digits; not-a-number does not break the document."""
    evidence = {"d": Decimal("1.10"), "n": float("nan"), "big": 10**38, "at": AS_OF, "s": {1}}
    finding = replace(drift("USER#a", {}), evidence=evidence)
    document = json.loads(json_text(report_json(report(result("a.a", finding)))))
    assert document["findings"][0]["evidence"] == {
        "d": "1.10",
        "n": "nan",
        "big": 10**38,
        "at": "2026-12-01T00:00:00Z",
        "s": [1],
    }


def test_text_says_the_verdict_first_and_everything_an_operator_needs() -> None:
    """Verdict, amount at risk, extent, gaps, criterion, evidence, remedy, totals are all there."""
    text = report_text(failing())
    assert text.startswith("FINDINGS: The books do not agree: 2 findings\n")
    for part in (
        "19.98 USD",
        "179 accounts, 1,137 entries, 180 payment methods",
        "links.purchase_table: skipped: no purchase table",
        "webhooks.ttl_effective: errored: SQL failed",
        "1 account with a balance that could not be judged: USER#c",
        f"Criterion  Criterion of {DRIFT_CHECK}.",
        f"Remedy     Remedy of {DRIFT_CHECK}.",
        "payments pending  -9.99\n",
        "counter (USD)",
        "owed settled    -100\n",
        "counter (JPY)",
        f"1 of 2: {ENTRY}",
        "2 of 2: LEDGER#2, LEDGER#3",
        "INCONCLUSIVE  USER#c",
        "2,500 JPY",
        "2026-06-12T02:35:28Z (1781231728)",
        "400.00 USD  300.00 USD  100.00 USD",
    ):
        assert part in text, part
    assert "a@b.example" not in text


@pytest.mark.parametrize("width", [80, 100, 120])
def test_text_fits_the_terminal(width: int) -> None:
    """No line is wider than asked for, down to 80 columns."""
    assert max(map(len, report_text(failing(), width=width).splitlines())) <= width


@pytest.mark.parametrize(
    ("judged", "words"),
    [
        (CLEAN, "CLEAN: The books agree"),
        (UNDECIDED, "INCONCLUSIVE: No verdict: part of the books could not be judged"),
        (report(), "INCONCLUSIVE: No verdict: part of the books could not be judged"),
    ],
)
def test_every_verdict_has_words_in_text_and_on_the_page(judged: AuditReport, words: str) -> None:
    """A clean, an undecided and an empty audit each say so at the top."""
    assert report_text(judged).startswith(words)
    assert words.split(": ", 1)[1] in report_html(judged)


def test_long_lists_are_cut_with_the_total_said() -> None:
    """Thousands of findings stay readable, and nothing is left out silently."""
    many = [drift(f"USER#{number:05d}", {"owed_settled": 1}) for number in range(3_000)]
    judged = report(result(DRIFT_CHECK, *many))
    text, page = report_text(judged, limit=5), report_html(judged)
    assert "2,995 more of this check: the CSV and the JSON hold all." in text
    assert "The first 200 of 3,000 findings are shown; the CSV and the JSON hold all." in page
    assert page.count('class="finding"') == 200
    assert len(page) < 1_000_000
    assert findings_csv(judged).count("\r\n") == 3_001


def test_the_page_shows_findings_by_severity_with_their_remedy() -> None:
    """Gravest first, each check with criterion and remedy, states in words."""
    page = report_html(failing(), title="October close")
    assert page.index("Critical: 2 findings") < page.index("High: 1 finding")
    for part in (
        "<title>The books do not agree: 2 findings · October close</title>",
        f"Remedy of {DRIFT_CHECK}.",
        "2 equally good candidate sets:",
        '<td class="figure">-9.99</td>',
        "Inconclusive</span>",
        "Not examined or not decided",
        '<th scope="col">Outcome</th>',
    ):
        assert part in page, part
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page


def test_a_fragment_has_no_anchors_to_clash_with_another() -> None:
    """Two reports in one notebook share no ids."""
    html = report_fragment(failing())
    assert " id=" not in html
    assert "<main" not in html
    assert html.startswith("<style>")


def test_a_currency_nobody_knows_stays_in_minor_units() -> None:
    """Amounts of an account without a currency are never given decimals."""
    judged = report(result(DRIFT_CHECK, drift("USER#a", {"owed_settled": -1234}, currency=None)))
    assert amount_at_risk(judged) == {"": 1234}
    assert "1,234 minor units of unknown currency" in report_text(judged)
    assert "Counter (minor units)" in report_html(judged)


def test_evidence_beside_the_counters_is_never_hidden() -> None:
    """A drift with a counter nobody knows, or sides of another shape, is shown in full."""
    evidence = {"drift": {"owed_settled": 1, "tips": 2}, "stored": "broken", "currency": "??"}
    finding = replace(drift("USER#a", {}), evidence=evidence)
    text = report_text(report(result(DRIFT_CHECK, finding)))
    for part in ("drift.tips", "broken", "??"):
        assert part in text, part


def test_csv_holds_every_finding_with_numbers_as_numbers() -> None:
    """Negative drift is a number a spreadsheet can add, in a column of its own."""
    rows = list(csv.DictReader(io.StringIO(findings_csv(failing()))))
    assert [row["account"] for row in rows] == ["USER#a", "USER#b", "USER#c"]
    assert rows[0]["drift_payments_pending"] == "-999"
    assert rows[0]["drift_owed_settled"] == ""
    assert rows[1]["currency"] == "JPY"
    assert json.loads(rows[1]["evidence"])["drift"] == {"owed_settled": -100}
    assert rows[0]["remedy"] == f"Remedy of {DRIFT_CHECK}."


def test_a_statement_ties_its_closing_to_the_stored_counters() -> None:
    """Entries with running balances, then stored against computed with the difference."""
    text = statement_text(statement())
    for part in (
        "STATEMENT OF USER#a",
        "The stored counters do not agree with the entries.",
        "payments pending           -1,234.56       0.00   -1,234.56",
        "2026-06-12T02:35:28Z  debit   settled  usage",
        "(no time)",
        "ref pi_1",
        "amount=1,234.56 USD",
        "No subscriptions.",
        "autopay enabled=yes",
        "label=p•••@•••",
    ):
        assert part in text, part


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stored": Counters(0, 2500, 0, 123456)}, "The stored counters agree with the entries"),
        ({"unjudged": "unknown rule"}, "The balance could not be judged: unknown rule"),
        ({"stored": None}, "The account has no BALANCE item; the service reads that as zero."),
        ({"currency": ""}, "unknown (amounts are in minor units)"),
        ({"settings": None, "payments": (), "lines": ()}, "USER#a"),
    ],
)
def test_a_statement_says_what_it_rests_on(changes: dict[str, object], words: str) -> None:
    """Agreement, doubt, an absent BALANCE and an unknown currency are said in text and HTML."""
    told = statement(**changes)
    assert words in statement_text(told)
    assert words in statement_html(told)
    assert words in statement_page(told)


def test_a_statement_as_data_keeps_minor_units() -> None:
    """JSON and CSV hold whole minor units, and an absent BALANCE is null."""
    document = json.loads(json_text(statement_json(statement(stored=None))))
    assert document["stored"] is None
    assert document["difference"]["payments_settled"] == -123456
    assert document["entries"][0]["ts"] == "2026-06-12T02:35:28Z"
    rows = list(csv.DictReader(io.StringIO(statement_csv(statement()))))
    assert [row["running_settled"] for row in rows] == ["2500", "-120956"]


def test_the_same_report_renders_the_same_text_each_time() -> None:
    """Renderings depend on the report alone."""
    for render in (report_text, report_html, findings_csv):
        assert render(failing()) == render(failing())


def test_masked_evidence_leaves_no_secret_in_any_rendering() -> None:
    """A canary under every listed attribute shows up nowhere."""
    secrets = {"email": "canary@example.com", "raw": {"x": "canary"}, "ip": "canary"}
    evidence = {**secrets, "nested": [secrets]}
    place = ("USER#a", "PAY#1", "Something.", evidence)
    finding = Finding("a.a", Severity.LOW, Outcome.FAILED, *place)
    judged = report(result("a.a", finding))
    item = statement(payments=({"sk": "PAY#1", **secrets},))
    for text in (
        *(report_text(judged), report_html(judged), findings_csv(judged)),
        *(json_text(report_json(judged)), json_text(statement_json(item))),
        *(statement_text(item), statement_page(item)),
    ):
        assert "canary" not in text


def test_rendering_loads_no_engine() -> None:
    """The text helpers serve every verb, so importing them loads neither DuckDB nor pandas."""
    heavy = {"boto3", "duckdb", "pandas", "pyarrow", "rich"}
    code = f"import sys, opskit.present; print({heavy} & sys.modules.keys())"
    assert subprocess.check_output([sys.executable, "-c", code], timeout=60) == b"set()\n"
