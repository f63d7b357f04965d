"""The findings of a report as HTML: by severity, by check, each with its proof and remedy."""

from collections.abc import Sequence
from itertools import groupby

from opskit.audit.report import AuditReport, CheckResult, Explanation, Finding, Outcome
from opskit.present.escape import Element, element
from opskit.present.evidence import CounterTable, clipped, counter_table, facts, sentence
from opskit.present.marks import code, facts_list, folded, grid, pairs_table, section, state
from opskit.present.since import reread_words
from opskit.present.words import counted, noting, severity_counts

IN_VIEW = 10
NOTED_PLACE = "#noted"
SHOWN_CANDIDATES = 6

Group = tuple[CheckResult | None, tuple[Finding, ...]]


def grouped(report: AuditReport) -> tuple[Group, ...]:
    """The findings by severity and check, gravest first, each group with its check's result."""
    results = {result.id: result for result in report.results}
    groups = groupby(report.findings, key=lambda finding: (finding.severity, finding.check))
    return tuple((results.get(check), tuple(found)) for (_, check), found in groups)


def findings_section(report: AuditReport, limit: int, *, anchored: bool) -> Element:
    """Every finding up to `limit` of each group; what is left out is counted in place.

    `anchored` gives each group the place that `contents` links to.
    """
    counts = severity_counts(report)
    numbered = list(enumerate(grouped(report), start=1))
    parts = [
        section(
            f"{severity.value.capitalize()}: {counted(counts[severity], 'finding')}",
            *(_group(group, limit, f"check-{place}" if anchored else None) for place, group in of),
            level="h3",
        )
        for severity, of in groupby(numbered, key=lambda pair: pair[1][1][0].severity)
    ]
    nothing = element("p", "No check found anything.", class_="quiet")
    return section("Findings", *(parts or [nothing]))


def contents(report: AuditReport) -> Element | None:
    """Links to each group of findings with its severity and count, and to what is noted.

    None when there is neither.
    """
    rows = [
        element(
            "li",
            element("span", found[0].severity.value.capitalize(), class_="grade"),
            element("a", clipped(found[0].check), href=f"#check-{place}"),
            element("span", counted(len(found), "finding"), class_="figure"),
        )
        for place, (_, found) in enumerate(grouped(report), start=1)
    ]
    if report.observations:
        rows.append(_contents_noted(report))
    return (
        element("nav", element("ol", *rows), class_="contents", aria_label="Findings by check")
        if rows
        else None
    )


def _contents_noted(report: AuditReport) -> Element:
    return element(
        "li",
        element("span", "Noted", class_="grade"),
        element("a", f"{counted(len(noting(report)), 'check')}, no faults", href=NOTED_PLACE),
        element("span", counted(len(report.observations), "observation"), class_="figure"),
    )


def _group(group: Group, limit: int, place: str | None) -> Element:
    result, findings = group
    shown, left_out = findings[:limit], len(findings) - limit
    hidden = len(shown) - IN_VIEW
    return element(
        "section",
        element("h4", clipped(result.title if result else findings[0].check)),
        element(
            "p", code(findings[0].check), f" · {counted(len(findings), 'finding')}", class_="sub"
        ),
        _standard(result) if result else None,
        _list(shown[:IN_VIEW], 1),
        folded(f"{hidden:,} more", _list(shown[IN_VIEW:], IN_VIEW + 1)) if hidden > 0 else None,
        _left_out(len(findings), limit) if left_out > 0 else None,
        id=place,
        class_="check",
    )


def _left_out(total: int, limit: int) -> Element:
    text = f"The first {limit:,} of {total:,} findings are shown; the CSV and the JSON hold all."
    return element("p", text, class_="quiet")


def _standard(result: CheckResult) -> Element:
    return facts_list((("Criterion", result.criterion), ("Remedy", result.remedy)))


def _list(findings: Sequence[Finding], start: int) -> Element:
    return element("ol", *map(_finding, findings), start=str(start), class_="findings")


def _finding(finding: Finding) -> Element:
    decided = finding.outcome is Outcome.FAILED
    return element(
        "li",
        element(
            "p",
            code(clipped(finding.account)),
            code(clipped(finding.key)) if finding.key else None,
            None if decided else state(finding.outcome),
            class_="place",
        ),
        element("p", sentence(finding.condition), class_="condition"),
        _proof(finding),
        _cause(finding.explanation) if finding.explanation else None,
        class_="finding",
    )


def _proof(finding: Finding) -> Element:
    table = counter_table(finding)
    known = [(fact.label, fact.value) for fact in facts(finding)]
    known += [("read again", clipped(reread_words(read))) for read in finding.rereads]
    rest = pairs_table("Evidence", [*known, ("finding", finding.id)])
    counters = element("div", counters_grid(table), class_="scroll") if table else None
    return element("div", counters, rest, class_="proof")


def counters_grid(table: CounterTable) -> Element:
    """The counters a finding or an observation compares, side by side."""
    headings = (f"counter ({table.unit})", *table.sides)
    figures = range(1, len(headings))
    return grid("Counters", headings, table.rows, figures=figures, class_="counters")


def _cause(explanation: Explanation) -> Element:
    total = len(explanation.candidates)
    sets = [
        element("li", *(code(clipped(key)) for key in keys))
        for keys in explanation.candidates[:SHOWN_CANDIDATES]
    ]
    more = total - SHOWN_CANDIDATES
    label = counted(total, "equally good candidate set") if total > 1 else "Candidate"
    return element(
        "div",
        element(
            "p",
            element("strong", clipped(explanation.fault_class.replace("_", " "))),
            " ",
            sentence(explanation.text),
        ),
        element("p", f"{label}:", class_="quiet") if sets else None,
        element("ol", *sets) if sets else None,
        element("p", f"{more:,} more; the JSON holds all.", class_="quiet") if more > 0 else None,
        class_="cause",
    )
