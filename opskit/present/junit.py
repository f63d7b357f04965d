"""A report as JUnit XML, which schedulers and build servers show: one test case per check."""

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from opskit.audit.report import AuditReport, CheckResult, Finding, Outcome
from opskit.present.escape import masked, plain
from opskit.present.evidence import clipped, sentence
from opskit.present.words import counted, headline, of_outcome, utc

SHOWN_PER_CHECK = 100
_UNDECIDED = (Outcome.INCONCLUSIVE, Outcome.ERRORED)


def report_junit(report: AuditReport, *, limit: int = SHOWN_PER_CHECK) -> str:
    """One suite with a case per check: failed ones as failures, undecided ones as errors.

    A check that is inconclusive is an error, since a scheduler must not take it for passed. No
    control character of any item is left in it.
    """
    outcomes = [result.outcome for result in report.results]
    suite = ET.Element(
        "testsuite",
        name="opskit audit",
        tests=str(len(outcomes)),
        failures=str(outcomes.count(Outcome.FAILED)),
        errors=str(sum(outcome in _UNDECIDED for outcome in outcomes)),
        skipped=str(outcomes.count(Outcome.SKIPPED)),
        timestamp=utc(report.as_of).removesuffix("Z"),
        time="0",
    )
    _add_properties(suite, report)
    for result in report.results:
        _add_case(suite, result, limit)
    root = ET.Element("testsuites", dict(suite.attrib))
    root.append(suite)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add_properties(suite: ET.Element, report: AuditReport) -> None:
    properties = ET.SubElement(suite, "properties")
    named = (
        ("source", report.source),
        ("as_of", utc(report.as_of)),
        ("verdict", report.verdict.value),
        ("headline", headline(report)),
        ("unjudged_accounts", str(len(report.unjudged))),
    )
    for name, value in named:
        ET.SubElement(properties, "property", name=name, value=plain(value))


def _add_case(suite: ET.Element, result: CheckResult, limit: int) -> None:
    group, _, _ = result.id.rpartition(".")
    case = ET.SubElement(suite, "testcase", classname=plain(group), name=plain(result.id), time="0")
    reason = clipped(result.reason)
    match result.outcome:
        case Outcome.FAILED:
            failed = of_outcome(result.findings, Outcome.FAILED)
            _add(case, "failure", result, counted(len(failed), "finding"))
        case Outcome.INCONCLUSIVE | Outcome.ERRORED:
            _add(case, "error", result, reason or "no reason recorded")
        case Outcome.SKIPPED:
            ET.SubElement(case, "skipped", message=reason or "no reason recorded")
        case _:
            pass
    if result.findings:
        ET.SubElement(case, "system-out").text = _listed(result.findings, limit)


def _add(case: ET.Element, tag: str, result: CheckResult, message: str) -> None:
    """A failure or an error with its message, the criterion and the remedy."""
    told = ET.SubElement(case, tag, message=f"{clipped(result.title)}: {message}")
    told.set("type", result.outcome.value)
    told.text = f"Criterion: {sentence(result.criterion)}\nRemedy: {sentence(result.remedy)}"


def _listed(findings: tuple[Finding, ...], limit: int) -> str:
    lines = list(_lines(findings[:limit]))
    if len(findings) > limit:
        lines.append(f"{len(findings) - limit:,} more are in the CSV and the JSON.")
    return "\n".join(lines)


def _lines(findings: Iterable[Finding]) -> Iterable[str]:
    for finding in findings:
        place = " ".join(clipped(part) for part in (finding.account, finding.key) if part)
        condition = sentence(str(masked("", finding.condition)))
        yield f"{finding.outcome.value} {finding.severity.value} {finding.id} {place}: {condition}"
        if finding.explanation:
            yield f"    explained: {sentence(finding.explanation.text)}"
