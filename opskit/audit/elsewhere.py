"""The rules of the auditors' catalogue that no check judges: where they are, or why not."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule by its catalogue id; `why` says where it is judged, or what it would take."""

    catalogue: str
    title: str
    why: str


ELSEWHERE = (
    Rule(
        "SCH-06",
        "Incomplete population",
        "what was not read whole is refused by every verb; `opskit books` proves the population",
    ),
    Rule("BAL-04", "Counters reset", "an explanation of balances.stored_equals_entries"),
    Rule("BAL-05", "Drift attributed", "the explanations of balances.stored_equals_entries"),
    Rule("BAL-07", "Control totals", "in every report, and split by explanation in `opskit books`"),
    Rule("DUP-04", "Counters moved twice", "an explanation of balances.stored_equals_entries"),
    Rule(
        "LNK-08",
        "Purchase agrees with its payment",
        "not judged: purchases are in a table of the service that opskit does not know",
    ),
    Rule(
        "WHK-03",
        "Event never received",
        "not judged: needs the processor's own list of the events it sent",
    ),
    Rule(
        "REC-01 to REC-08",
        "Reconciliation",
        "not judged: needs the processors' own files, which no table holds",
    ),
)
