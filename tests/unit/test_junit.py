"""A report as JUnit XML is what a scheduler expects, whatever an item holds."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

from click.testing import CliRunner
from report_samples import drift, failing, report, result

from opskit.audit.report import AuditReport, Outcome
from opskit.cli import cli
from opskit.present import report_junit

DATA = Path(__file__).parents[1] / "data" / "billing-capture"
CHILDREN = {"failure", "error", "skipped", "system-out"}
COUNTS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def parsed(found: AuditReport) -> ET.Element:
    """The suite of a report, its structure checked against what every consumer of JUnit reads."""
    text = report_junit(found)
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    root = ET.fromstring(text.encode())
    assert root.tag == "testsuites"
    [suite] = root
    cases = suite.findall("testcase")
    assert [child.tag for child in suite] == ["properties"] + ["testcase"] * len(cases)
    assert int(suite.attrib["tests"]) == len(cases) == len(found.results)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
    for name, tag in COUNTS.items():
        assert int(suite.attrib[name]) == len(suite.findall(f"testcase/{tag}"))
    for case in cases:
        assert set(case.attrib) == {"classname", "name", "time"}
        assert {child.tag for child in case} <= CHILDREN
        assert sum(child.tag != "system-out" for child in case) <= 1
    return suite


def test_every_check_is_a_case_that_ends_as_the_check_did() -> None:
    """Failed is a failure, inconclusive and errored are errors, skipped is skipped, with why."""
    outcomes = (Outcome.PASSED, Outcome.SKIPPED, Outcome.ERRORED, Outcome.INCONCLUSIVE)
    results = [result(f"group.{one.value}", outcome=one, reason="because") for one in outcomes]
    suite = parsed(report(*results, result("group.failed", drift("u1", {"owed_settled": 5}))))
    cases = {case.attrib["name"]: [child.tag for child in case] for case in suite.iter("testcase")}
    assert cases == {
        "group.passed": [],
        "group.skipped": ["skipped"],
        "group.errored": ["error"],
        "group.inconclusive": ["error"],
        "group.failed": ["failure", "system-out"],
    }
    assert all("because" in told.attrib["message"] for told in suite.iter("error"))
    [failure] = suite.iter("failure")
    assert "1 finding" in failure.attrib["message"]
    assert "Remedy of group.failed" in (failure.text or "")


def test_the_findings_are_listed_and_a_cut_is_said() -> None:
    """Each finding is a line with its account; what is left out is counted."""
    findings = [drift(f"USER#{number}", {"owed_settled": number}) for number in range(1, 6)]
    text = report_junit(report(result("balances.all", *findings)), limit=3)
    assert "USER#3" in text
    assert "USER#4" not in text
    assert "2 more" in text


def test_no_control_character_survives() -> None:
    """Escapes, NULs, lone surrogates and markup in an item are text, and the XML stays whole."""
    hostile = "\x00\x1b[31m\ud800\ufffe<![CDATA[x]]>&\u202e"
    suite = parsed(report(result("balances.all", drift(hostile, {"owed_settled": 1}))))
    told = suite.findtext("testcase/system-out") or ""
    assert "\\x1b[31m" in told
    assert "<![CDATA[x]]>&" in told
    assert not re.search(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]", told)


def test_a_report_of_every_sort_is_valid() -> None:
    """The sample with drift, an unknown rule, a skipped and a broken check holds together."""
    assert parsed(failing()).findall("properties/property")


def test_the_audit_writes_it(tmp_path: Path) -> None:
    """`opskit audit --junit` leaves the file beside the usual output."""
    out = tmp_path / "junit.xml"
    source = str(DATA / "billing_ccbill.jsonl.gz")
    command = ["audit", "--from-items", source, "--as-of", "2026-12-01", "--junit", str(out)]
    outcome = CliRunner().invoke(cli, [*command, "--check", "balances.*"])
    assert outcome.exit_code == 1, outcome.output
    suite = ET.parse(out).getroot()[0]
    names = [case.attrib["name"] for case in suite.iter("testcase")]
    assert "balances.stored_equals_entries" in names
