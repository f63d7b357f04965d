"""Reports and statements as HTML: a page of its own that works offline, or a notebook's output.

Nothing in them runs or is fetched; all text goes through `present.escape`.
"""

from typing import TYPE_CHECKING

from opskit.audit.report import AuditReport
from opskit.present.escape import UNTYPESET, Element, Node, element, fragment, page
from opskit.present.evidence import clipped
from opskit.present.findings_html import contents, findings_section
from opskit.present.marks import code, facts_list, folded, grid, icon, scrolling, section, state
from opskit.present.observations_html import observations_section
from opskit.present.since import since_sections
from opskit.present.statement_html import statement_body
from opskit.present.words import (
    RISK_DEFINITION,
    VERDICT_OUTCOMES,
    amount,
    counted,
    examined_facts,
    headline,
    not_examined,
    risk_lines,
    utc,
    verdict_sentence,
)

if TYPE_CHECKING:
    from opskit.ledger.statement import Statement

SHOWN_PER_CHECK = 200
SHOWN_IN_FRAGMENT = 20
SHOWN_NOTED = 50
SHOWN_SILENT = 4
SHOWN_ACCOUNTS = 200
TITLE = "Audit of the billing ledger"


def report_html(report: AuditReport, *, title: str = TITLE, limit: int = SHOWN_PER_CHECK) -> str:
    """One self-contained page: offline, no script, at most `limit` findings of each check."""
    body = _root(
        _masthead(report, title),
        element(
            "main",
            *_summary(report),
            *since_sections(report),
            contents(report),
            findings_section(report, limit, anchored=True),
            observations_section(report, min(limit, SHOWN_NOTED), anchored=True),
            *_tables(report),
        ),
        element("footer", f"{title}. Amounts are exact; times are UTC."),
    )
    return page(f"{headline(report)} · {title}", body)


def report_fragment(report: AuditReport, *, limit: int = SHOWN_IN_FRAGMENT) -> str:
    """The report as a part of another page, a notebook's output, with the style it needs."""
    findings = findings_section(report, limit, anchored=False)
    body = _root(
        _masthead(report, TITLE),
        *_summary(report),
        *since_sections(report),
        findings,
        observations_section(report, min(limit, SHOWN_NOTED), anchored=False),
        *_tables(report),
    )
    return fragment(body)


def statement_html(statement: "Statement") -> str:
    """One account's statement as a part of another page, with the style it needs."""
    return fragment(_root(*statement_body(statement)))


def statement_page(statement: "Statement") -> str:
    """One account's statement as a self-contained page."""
    masthead, *sections = statement_body(statement)
    body = _root(masthead, element("main", *sections))
    return page(f"Statement of {clipped(statement.account)}", body)


def _root(*children: Node | None) -> Element:
    return element("div", *children, class_=f"opskit {UNTYPESET}")


def _masthead(report: AuditReport, title: str) -> Element:
    outcome = VERDICT_OUTCOMES[report.verdict]
    return element(
        "header",
        element("p", title, element("span", f"as of {utc(report.as_of)}"), class_="kicker"),
        element("h1", icon(outcome), element("span", headline(report)), class_=f"is-{outcome}"),
        element("p", verdict_sentence(report), class_="lede"),
        class_="masthead",
    )


def _summary(report: AuditReport) -> tuple[Element, ...]:
    risk = [element("p", line, class_="risk") for line in risk_lines(report)]
    examined = [(kind, f"{count:,}") for kind, count in examined_facts(report)]
    panels = (
        section("Amount at risk", *risk, element("p", RISK_DEFINITION, class_="quiet")),
        section(
            "Examined",
            facts_list(examined, class_="counts") if examined else element("p", "Nothing."),
        ),
        section("Not examined or not decided", *_silent(report)),
    )
    return (element("div", *panels, class_="summary"),)


def _silent(report: AuditReport) -> list[Element]:
    rows = [
        element("li", code(clipped(check)), element("span", f" {clipped(reason)}"))
        for check, reason in not_examined(report)
    ]
    parts = [element("ul", *rows[:SHOWN_SILENT])] if rows else []
    if len(rows) > SHOWN_SILENT:
        rest = rows[SHOWN_SILENT:]
        parts.append(folded(counted(len(rest), "more check"), element("ul", *rest)))
    if report.unjudged:
        parts.append(_unjudged(report.unjudged))
    return parts or [element("p", "Nothing: every check ran to its end.")]


def _unjudged(accounts: tuple[str, ...]) -> Element:
    names = [element("li", code(clipped(account))) for account in accounts[:SHOWN_ACCOUNTS]]
    more = len(accounts) - SHOWN_ACCOUNTS
    if more > 0:
        names.append(element("li", f"and {more:,} more; the JSON holds all"))
    label = f"{counted(len(accounts), 'account')} with a balance that could not be judged"
    return folded(label, element("ul", *names))


def _tables(report: AuditReport) -> tuple[Element, ...]:
    provenance = (
        ("Source", report.source),
        ("Judged as of", utc(report.as_of)),
        ("Verdict", report.verdict.value),
    )
    return (
        section("Checks", scrolling(_checks_table(report), "Checks")),
        section("Control totals", scrolling(_totals_table(report), "Control totals")),
        section("Provenance", facts_list(provenance)),
    )


def _checks_table(report: AuditReport) -> Element:
    rows = [
        (
            _check_name(result.title, result.id, result.reason),
            state(result.outcome),
            result.severity.value,
            f"{result.examined:,}",
            f"{len(result.findings):,}",
        )
        for result in report.results
    ]
    headings = ("Check", "Outcome", "Severity", "Examined", "Findings")
    return grid(f"{counted(len(rows), 'check')}", headings, rows, figures={3, 4}, class_="checks")


def _check_name(title: str, check: str, reason: str) -> Element:
    why = element("span", clipped(reason), class_="quiet") if reason else None
    return element(
        "span", element("span", clipped(title)), code(clipped(check)), why, class_="name"
    )


def _totals_table(report: AuditReport) -> Element:
    if not report.control_totals:
        return element("p", "None: no account could be judged.")
    rows = [
        (
            total.counter.replace("_", " "),
            clipped(total.currency.upper()) or "unknown",
            amount(total.stored, total.currency),
            amount(total.computed, total.currency),
            _difference(total.difference, total.currency),
        )
        for total in report.control_totals
    ]
    headings = ("Counter", "Currency", "Stored", "Computed", "Difference")
    caption = "Sums over every judged account: stored counters, posting rules applied, difference"
    return grid(caption, headings, rows, figures={2, 3, 4}, class_="totals")


def _difference(difference: int, currency: str) -> Node:
    text = amount(difference, currency)
    return element("strong", text) if difference else text
