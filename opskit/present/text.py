"""A report as plain text for a terminal: the verdict first, then what was found."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from opskit.audit.report import AuditReport, CheckResult, Explanation, Finding, Outcome
from opskit.present.columns import columns, paragraph, underlined
from opskit.present.escape import plain
from opskit.present.evidence import clipped, counter_table, facts, sentence
from opskit.present.since import reread_words, since_text
from opskit.present.words import (
    NOTED_DEFINITION,
    NOTED_HEADING,
    OUTCOME_WORDS,
    RISK_DEFINITION,
    amount,
    counted,
    examined_facts,
    headline,
    not_examined,
    noting,
    risk_lines,
    severities_text,
    utc,
    verdict_sentence,
)

SHOWN_PER_CHECK = 25
SHOWN_NOTED = 5
SHOWN_CANDIDATES = 6
SHOWN_ACCOUNTS = 10


def report_text(report: AuditReport, *, width: int = 100, limit: int = SHOWN_PER_CHECK) -> str:
    """The whole report at `width` columns, at most `limit` findings of each check.

    No character of it acts on a terminal. What `limit` leaves out is counted in place. An account
    and key wider than `width` stay whole on their line, so that they can be copied.
    """
    lines = [
        *_summary(report, width),
        *_since(report),
        *_checks(report),
        *_findings(report, width, limit),
        *_noted(report, width, min(limit, SHOWN_NOTED)),
        *_control_totals(report),
    ]
    return "\n".join(lines) + "\n"


def _summary(report: AuditReport, width: int) -> Iterator[str]:
    yield f"{report.verdict.value.upper()}: {headline(report)}"
    yield from paragraph("", verdict_sentence(report), width=width, hang=0)
    yield ""
    label = "At risk"
    for line in risk_lines(report):
        yield f"{label:<14}{plain(line)}"
        label = ""
    yield from paragraph("", RISK_DEFINITION, width=width, hang=14)
    examined = ", ".join(f"{count:,} {kind}" for kind, count in examined_facts(report))
    for name, value in (
        ("Findings", severities_text(report)),
        ("Examined", examined or "nothing"),
        ("Source", report.source),
        ("As of", utc(report.as_of)),
    ):
        yield from paragraph(name, value, width=width, hang=14)
    yield from _not_examined(report, width)


def _not_examined(report: AuditReport, width: int) -> Iterator[str]:
    yield from underlined("NOT EXAMINED OR NOT DECIDED")
    silent = not_examined(report)
    for check, reason in silent:
        yield from paragraph("-", f"{check}: {reason}", width=width, hang=2)
    if report.unjudged:
        named = ", ".join(clipped(account) for account in report.unjudged[:SHOWN_ACCOUNTS])
        more = len(report.unjudged) - SHOWN_ACCOUNTS
        unjudged = counted(len(report.unjudged), "account")
        text = f"{unjudged} with a balance that could not be judged: {named}"
        text += f" and {more:,} more" if more > 0 else ""
        yield from paragraph("-", text, width=width, hang=2)
    if not silent and not report.unjudged:
        yield "Nothing: every check ran to its end."


def _since(report: AuditReport) -> Iterator[str]:
    for heading, lines in since_text(report):
        yield from underlined(heading)
        yield from lines


def _checks(report: AuditReport) -> Iterator[str]:
    yield from underlined("CHECKS")
    rows = [
        (
            _outcome(result.outcome),
            result.id,
            result.severity.value,
            f"{result.examined:,}",
            f"{len(result.findings):,}",
        )
        for result in report.results
    ]
    yield from columns(("outcome", "check", "severity", "examined", "findings"), rows, right={3, 4})


def _outcome(outcome: Outcome) -> str:
    word = OUTCOME_WORDS[outcome]
    return word if outcome in (Outcome.PASSED, Outcome.SKIPPED) else word.upper()


def _findings(report: AuditReport, width: int, limit: int) -> Iterator[str]:
    results = {result.id: result for result in report.results}
    for severity, of_severity in groupby(report.findings, key=lambda finding: finding.severity):
        yield from underlined(f"FINDINGS: {severity.value.upper()}", "=")
        for check, found in groupby(of_severity, key=lambda finding: finding.check):
            yield from _of_check(results.get(check), tuple(found), width, limit)


def _of_check(
    result: CheckResult | None, findings: Sequence[Finding], width: int, limit: int
) -> Iterator[str]:
    yield ""
    yield f"{clipped(findings[0].check)}: {counted(len(findings), 'finding')}"
    if result:
        yield from paragraph("Criterion", result.criterion, width=width, indent=2)
        yield from paragraph("Remedy", result.remedy, width=width, indent=2)
    for number, finding in enumerate(findings[:limit], start=1):
        yield from _finding(number, finding, width)
    if len(findings) > limit:
        yield ""
        yield f"  … {len(findings) - limit:,} more of this check: the CSV and the JSON hold all."


def _finding(number: int, finding: Finding, width: int) -> Iterator[str]:
    yield ""
    open_word = "" if finding.outcome is Outcome.FAILED else f"{_outcome(finding.outcome)}  "
    yield f"  {number:>3}. {open_word}{_place(finding)}"
    yield from _proof(finding, width)
    for read in finding.rereads:
        yield from paragraph("Read again", clipped(reread_words(read)), width=width, indent=7)
    if finding.explanation:
        yield from _explanation(finding.explanation, width)


def _place(finding: Finding) -> str:
    return " · ".join(clipped(part) for part in (finding.account, finding.key) if part)


def _proof(finding: Finding, width: int) -> Iterator[str]:
    yield from paragraph("", sentence(finding.condition), width=width, indent=7, hang=0)
    table = counter_table(finding)
    if table:
        right = range(1, len(table.sides) + 1)
        lines = columns((f"counter ({table.unit})", *table.sides), table.rows, right=right)
        yield from (f"       {line}" for line in lines)
    known = facts(finding)
    hang = min(max((len(fact.label) for fact in known), default=0), 28) + 2
    for fact in known:
        yield from paragraph(fact.label, fact.value, width=width, indent=7, hang=hang)


def _explanation(explanation: Explanation, width: int) -> Iterator[str]:
    text = f"{clipped(explanation.fault_class.replace('_', ' '))}: {sentence(explanation.text)}"
    yield from paragraph("Explained", text, width=width, indent=7)
    total = len(explanation.candidates)
    for number, keys in enumerate(explanation.candidates[:SHOWN_CANDIDATES], start=1):
        named = ", ".join(clipped(key) for key in keys)
        yield from paragraph("", f"{number} of {total}: {named}", width=width, indent=7)
    if total > SHOWN_CANDIDATES:
        yield f"{'':18}… {total - SHOWN_CANDIDATES:,} more: the JSON holds all."


def _noted(report: AuditReport, width: int, limit: int) -> Iterator[str]:
    results = noting(report)
    if not results:
        return
    yield from underlined(NOTED_HEADING.upper(), "=")
    yield from paragraph("", NOTED_DEFINITION, width=width, hang=0)
    for result in results:
        yield ""
        total = len(result.observations)
        yield f"{clipped(result.id)}: {counted(total, 'observation')}"
        yield from paragraph("Title", result.title, width=width, indent=2)
        yield from paragraph("Criterion", result.criterion, width=width, indent=2)
        for number, seen in enumerate(result.observations[:limit], start=1):
            yield f"  {number:>3}. {_place(seen)}"
            yield from _proof(seen, width)
        if total > limit:
            yield f"  … {total - limit:,} more of this check: the JSON holds all."


def _control_totals(report: AuditReport) -> Iterator[str]:
    yield from underlined("CONTROL TOTALS")
    if not report.control_totals:
        yield "None: no account could be judged."
        return
    rows = [
        (
            total.currency.upper() or "(unknown)",
            total.counter.replace("_", " "),
            *(
                amount(side, total.currency)
                for side in (total.stored, total.computed, total.difference)
            ),
        )
        for total in report.control_totals
    ]
    headings = ("currency", "counter", "stored", "computed", "difference")
    yield from columns(headings, rows, right={2, 3, 4})
