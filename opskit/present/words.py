"""The words and figures every rendering of a report shares: verdict, amount at risk, extent."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from opskit.audit.report import AuditReport, CheckResult, Finding, Outcome, Severity, Verdict
from opskit.money import format_minor
from opskit.tables.items import COUNTERS

OUTCOME_WORDS: Mapping[Outcome, str] = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.INCONCLUSIVE: "inconclusive",
    Outcome.SKIPPED: "skipped",
    Outcome.ERRORED: "errored",
    Outcome.NOTED: "noted",
    Outcome.TRANSIENT: "transient",
    Outcome.WAIVED: "waived",
}
OUTCOME_ICONS: Mapping[Outcome, str] = {
    Outcome.PASSED: "✓",
    Outcome.FAILED: "✕",
    Outcome.INCONCLUSIVE: "?",
    Outcome.SKIPPED: "–",  # noqa: RUF001
    Outcome.ERRORED: "!",
    Outcome.NOTED: "i",
    Outcome.TRANSIENT: "~",
    Outcome.WAIVED: "w",
}
VERDICT_OUTCOMES: Mapping[Verdict, Outcome] = {
    Verdict.CLEAN: Outcome.PASSED,
    Verdict.FINDINGS: Outcome.FAILED,
    Verdict.INCONCLUSIVE: Outcome.INCONCLUSIVE,
}


def utc(moment: datetime) -> str:
    """An instant as `2026-12-01T00:00:00Z`; a naive one is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")


def counted(number: int, singular: str, plural: str = "") -> str:
    """A number with its noun: `1 account`, `1,137 entries`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def known_currency(code: object) -> bool:
    """Whether a value has the shape of a currency code: three ASCII letters."""
    return isinstance(code, str) and len(code) == 3 and code.isascii() and code.isalpha()


def amount(minor_units: int, currency: str) -> str:
    """An amount as read by a person; without a known currency it stays in minor units."""
    if known_currency(currency):
        return format_minor(minor_units, currency)
    return f"{minor_units:,} minor units"


def amount_alone(minor_units: int, currency: str) -> str:
    """An amount without its unit, for a table that names the unit once."""
    text = amount(minor_units, currency)
    return text.removesuffix(f" {currency.upper()}").removesuffix(" minor units")


def of_outcome(findings: Iterable[Finding], outcome: Outcome) -> tuple[Finding, ...]:
    """The findings that ended so."""
    return tuple(finding for finding in findings if finding.outcome is outcome)


def drift_of(finding: Finding) -> dict[str, int]:
    """The drift of each counter a finding states, in minor units; empty when it states none."""
    drift = finding.evidence.get("drift")
    if not isinstance(drift, Mapping):
        return {}
    return {name: drift[name] for name in COUNTERS if type(drift.get(name)) is int}


def currency_of(finding: Finding) -> str:
    """The currency a finding states, in capitals; "" when it is not known."""
    currency = finding.evidence.get("currency")
    return currency.upper() if isinstance(currency, str) else ""


def amount_at_risk(report: AuditReport) -> dict[str, int]:
    """The sum of absolute drift per currency, in minor units, largest currency code last.

    Of every failed finding with `drift` in its evidence, each account's counter is taken once (the
    largest absolute drift stated for it, when several checks state one) and never netted against
    another counter or account. Findings without a drift, inconclusive ones and unjudged accounts
    add nothing: the figure says how far stored counters are wrong, not what could be lost.
    """
    worst: dict[tuple[str, str, str], int] = defaultdict(int)
    for finding in of_outcome(report.findings, Outcome.FAILED):
        for counter, drift in drift_of(finding).items():
            place = (currency_of(finding), finding.account, counter)
            worst[place] = max(worst[place], abs(drift))
    totals: dict[str, int] = defaultdict(int)
    for (currency, _, _), drift in worst.items():
        totals[currency] += drift
    return {currency: total for currency, total in sorted(totals.items()) if total}


RISK_DEFINITION = (
    "Sum of the absolute drift of every counter of every account that failed, each once, "
    "nothing netted."
)


_NO_RISK = {
    Verdict.CLEAN: "None",
    Verdict.FINDINGS: "Not stated in money",
    Verdict.INCONCLUSIVE: "Not known",
}


def risk_lines(report: AuditReport) -> tuple[str, ...]:
    """The amount at risk in words, one line for each currency."""
    totals = amount_at_risk(report)
    lines = (
        amount(total, code) + ("" if known_currency(code) else " of unknown currency")
        for code, total in totals.items()
    )
    return tuple(lines) or (_NO_RISK[report.verdict],)


def headline(report: AuditReport) -> str:
    """The verdict in a few words."""
    failed = of_outcome(report.findings, Outcome.FAILED)
    match report.verdict:
        case Verdict.CLEAN:
            return "The books agree"
        case Verdict.FINDINGS:
            return f"The books do not agree: {counted(len(failed), 'finding')}"
        case Verdict.INCONCLUSIVE:
            return "No verdict: part of the books could not be judged"


def verdict_sentence(report: AuditReport) -> str:
    """What the verdict rests on, in one or two sentences."""
    failed = of_outcome(report.findings, Outcome.FAILED)
    by_outcome = {one: [r for r in report.results if r.outcome is one] for one in Outcome}
    passed = f"{len(by_outcome[Outcome.PASSED])} of {counted(len(report.results), 'check')} passed"
    open_checks = len(by_outcome[Outcome.INCONCLUSIVE]) + len(by_outcome[Outcome.ERRORED])
    parts = [passed]
    if failed:
        accounts = len({finding.account for finding in failed})
        parts.append(f"{len(by_outcome[Outcome.FAILED])} failed, in {counted(accounts, 'account')}")
    if open_checks:
        parts.append(f"{open_checks} could not be decided")
    for kind, word in (
        (Outcome.TRANSIENT, "found only what was gone when read again"),
        (Outcome.WAIVED, "found only what is waived"),
        (Outcome.SKIPPED, "skipped"),
    ):
        if by_outcome[kind]:
            parts.append(f"{len(by_outcome[kind])} {word}")
    sentence = "; ".join(parts) + "."
    if report.unjudged:
        unjudged = counted(len(report.unjudged), "account")
        sentence += f" The balance of {unjudged} could not be judged."
    return sentence if report.results else "No check ran."


def severities_text(report: AuditReport) -> str:
    """How many findings there are of each severity, and how many of all are not failures."""
    found = [f"{count:,} {severity.value}" for severity, count in severity_counts(report).items()]
    kinds = (
        (Outcome.INCONCLUSIVE, "not decided"),
        (Outcome.TRANSIENT, "transient"),
        (Outcome.WAIVED, "waived"),
    )
    counts = [(len(of_outcome(report.findings, kind)), word) for kind, word in kinds]
    apart = ", ".join(f"{count:,} of them {word}" for count, word in counts if count)
    text = ", ".join(found) or "none"
    text += f" ({apart})" if apart else ""
    seen = counted(len(report.observations), "observation")
    return f"{text}; {seen} beside them" if report.observations else text


def severity_counts(report: AuditReport) -> dict[Severity, int]:
    """How many findings there are of each severity that has any, gravest first."""
    counts = dict.fromkeys(Severity, 0)
    for finding in report.findings:
        counts[finding.severity] += 1
    return {severity: count for severity, count in counts.items() if count}


NOTED_HEADING = "Noted, no faults"
NOTED_DEFINITION = (
    "Worth a look, and no fault by itself: nothing here counts for the verdict or for the amount "
    "at risk. The JSON holds every observation."
)


def noting(report: AuditReport) -> tuple[CheckResult, ...]:
    """The checks that have observations, those of the graver severity first, then by id."""
    order = {severity: rank for rank, severity in enumerate(Severity)}
    noted = (result for result in report.results if result.observations)
    return tuple(sorted(noted, key=lambda result: (order[result.severity], result.id)))


def examined_facts(report: AuditReport) -> tuple[tuple[str, int], ...]:
    """What was examined, in words, with its count; accounts first."""
    kinds = sorted(report.examined, key=lambda kind: kind != "accounts")
    return tuple((kind.replace("_", " "), report.examined[kind]) for kind in kinds)


def not_examined(report: AuditReport) -> tuple[tuple[str, str], ...]:
    """The checks that give no answer, each with why."""
    silent = (Outcome.SKIPPED, Outcome.INCONCLUSIVE, Outcome.ERRORED)
    return tuple(
        (result.id, f"{OUTCOME_WORDS[result.outcome]}: {result.reason or 'no reason recorded'}")
        for result in report.results
        if result.outcome in silent
    )
