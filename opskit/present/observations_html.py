"""What checks noted that is no fault, as HTML: by check, folded away, closed on paper too."""

from opskit.audit.report import AuditReport, CheckResult, Finding
from opskit.present.escape import Element, element
from opskit.present.evidence import clipped, counter_table, facts, sentence
from opskit.present.findings_html import NOTED_PLACE, counters_grid
from opskit.present.marks import code, facts_list, folded, section
from opskit.present.words import NOTED_DEFINITION, NOTED_HEADING, counted, noting


def observations_section(report: AuditReport, limit: int, *, anchored: bool) -> Element | None:
    """Each check's observations up to `limit`, their total stated; None when there are none.

    `anchored` gives the section the place that the contents link to.
    """
    results = noting(report)
    if not results:
        return None
    return section(
        NOTED_HEADING,
        element("p", NOTED_DEFINITION, class_="quiet noted-what"),
        *(_check(result, limit) for result in results),
        id_=NOTED_PLACE.removeprefix("#") if anchored else None,
    )


def _check(result: CheckResult, limit: int) -> Element:
    total = len(result.observations)
    count = counted(total, "observation")
    label = f"The first {limit:,} of {count}" if total > limit else f"Show {count}"
    shown = element("ol", *map(_observation, result.observations[:limit]), class_="findings")
    return element(
        "section",
        element("h3", clipped(result.title)),
        element("p", code(clipped(result.id)), f" · {count}", class_="sub"),
        facts_list((("Criterion", sentence(result.criterion)),)),
        folded(label, shown, class_="unprinted"),
        class_="check noted",
    )


def _observation(seen: Finding) -> Element:
    table = counter_table(seen)
    known = [(fact.label, fact.value) for fact in facts(seen)]
    return element(
        "li",
        element(
            "p",
            code(clipped(seen.account)) if seen.account else None,
            code(clipped(seen.key)) if seen.key else None,
            class_="place",
        ),
        element("p", sentence(seen.condition), class_="condition"),
        element("div", counters_grid(table), class_="proof scroll") if table else None,
        facts_list(known, class_="inline") if known else None,
        class_="finding",
    )
