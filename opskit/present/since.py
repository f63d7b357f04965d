"""What a report says beside its findings: remarks, reads that confirmed, and what changed since."""

from collections.abc import Iterator, Sequence

from opskit.audit.report import SILENT, AuditReport, Comparison, EarlierFinding, Finding, Reread
from opskit.present.escape import Element, element, plain
from opskit.present.marks import code, facts_list, folded, section
from opskit.present.words import counted, utc

SHOWN = 50
FINGERPRINT = 16


def reread_words(read: Reread) -> str:
    """One read of an account in words, its fingerprint cut to what tells two apart."""
    items = counted(read.items, "item")
    return f"{read.account}, {utc(read.at)}: {items}, sha256 {read.fingerprint[:FINGERPRINT]}…"


def comparison_counts(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    """How many findings are new, changed, persisting, cleared, and were not looked for."""
    counts = (
        ("New", len(comparison.new)),
        ("Changed", len(comparison.changed)),
        ("Persisting", len(comparison.persisting)),
        ("Cleared", len(comparison.cleared)),
        ("Not looked for", len(comparison.unexamined)),
    )
    return tuple((name, f"{count:,}") for name, count in counts)


def since_text(report: AuditReport) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each heading with its lines: remarks, then the comparison with an earlier run."""
    if report.remarks:
        yield "REMARKS", tuple(f"- {plain(remark)}" for remark in report.remarks)
    if report.comparison:
        yield "SINCE THE EARLIER RUN", tuple(_comparison_lines(report, report.comparison))


def _comparison_lines(report: AuditReport, comparison: Comparison) -> Iterator[str]:
    counts = ", ".join(f"{name.lower()} {count}" for name, count in comparison_counts(comparison))
    yield f"{plain(comparison.earlier)}: {counts}"
    now = {finding.id: finding for finding in report.findings}
    for word, ids in (("new", comparison.new), ("changed", comparison.changed)):
        yield from _listed(word, [_place(now[id_]) for id_ in ids if id_ in now])
    yield from _listed("cleared", [_place(found) for found in comparison.cleared])
    if comparison.unexamined:
        yield f"  {_not_looked_for(report, comparison)}"


def _not_looked_for(report: AuditReport, comparison: Comparison) -> str:
    """How many earlier findings this run says nothing about, and why: nobody may think them gone.

    A run of few checks leaves the findings of all others; a list of them would bury what is new.
    """
    ended = {result.id for result in report.results if result.outcome not in SILENT}
    left = [found for found in comparison.unexamined if found.check not in ended]
    parts = []
    if left:
        checks = counted(len({found.check for found in left}), "check")
        parts.append(f"{counted(len(left), 'finding')} of {checks} that did not run to their end")
    if unjudged := len(comparison.unexamined) - len(left):
        parts.append(f"{counted(unjudged, 'finding')} of accounts that could not be judged")
    return f"Not looked for: {', '.join(parts)}. They are not cleared; the JSON lists them."


def _listed(word: str, places: list[str]) -> Iterator[str]:
    yield from (f"  {word}: {plain(place)}" for place in places[:SHOWN])
    if len(places) > SHOWN:
        yield f"  … {len(places) - SHOWN:,} more {word}: the JSON holds all."


def _place(found: Finding | EarlierFinding) -> str:
    return " · ".join(part for part in (found.check, found.account, found.key, found.id) if part)


def since_sections(report: AuditReport) -> tuple[Element, ...]:
    """The same as parts of a page."""
    parts = []
    if report.remarks:
        remarks = (element("li", plain(remark)) for remark in report.remarks)
        parts.append(section("Remarks", element("ul", *remarks)))
    if report.comparison:
        parts.append(_comparison(report, report.comparison))
    return tuple(parts)


def _comparison(report: AuditReport, comparison: Comparison) -> Element:
    now = {finding.id: finding for finding in report.findings}
    lists = (
        ("new", [now[id_] for id_ in comparison.new if id_ in now]),
        ("changed", [now[id_] for id_ in comparison.changed if id_ in now]),
        ("cleared", list(comparison.cleared)),
    )
    return section(
        "Since the earlier run",
        element("p", plain(comparison.earlier), class_="quiet"),
        facts_list(comparison_counts(comparison), class_="counts"),
        *(_places(word, found) for word, found in lists if found),
        element("p", _not_looked_for(report, comparison), class_="quiet")
        if comparison.unexamined
        else None,
    )


def _places(word: str, found: Sequence[Finding | EarlierFinding]) -> Element:
    rows = [element("li", code(plain(_place(one)))) for one in found[:SHOWN]]
    if len(found) > SHOWN:
        rows.append(element("li", f"and {len(found) - SHOWN:,} more; the JSON holds all"))
    return folded(f"{counted(len(found), 'finding')} {word}", element("ul", *rows))
