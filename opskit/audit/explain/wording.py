"""An explanation in words, with its class and every candidate's keys."""

from collections.abc import Sequence
from itertools import islice
from typing import Protocol

from opskit.audit.explain.classes import WORDS, FaultClass
from opskit.audit.explain.postings import Posting
from opskit.audit.explain.resets import Reset
from opskit.audit.report import Explanation
from opskit.ledger.counters import Counters

LISTED = 100
"""An explanation lists so many candidates and says how many there are in all."""

SPELLED_OUT = 5
"""The text describes candidates one by one up to so many; the keys of all are listed."""

OR = " or "
"""Joins the classes when equally good candidates differ in class."""


class Faults(Protocol):
    """What this module needs of a set of faults."""

    @property
    def postings(self) -> tuple[Posting, ...]: ...  # noqa: D102
    @property
    def reset(self) -> Reset | None: ...  # noqa: D102
    @property
    def keys(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def classes(self) -> tuple[FaultClass, ...]: ...  # noqa: D102


def class_of(found: Sequence[Faults]) -> str:
    """The class of the candidates, or their classes joined by OR, in the order of FaultClass."""
    classes = {_class(faults) for faults in found}
    return OR.join(known for known in FaultClass if known in classes)


def _class(faults: Faults) -> FaultClass:
    only, *more = faults.classes
    return FaultClass.SEVERAL if more else only


def explained(found: Sequence[Faults], *, left_out: int) -> Explanation:
    """The explanation that equally good sets of faults make together.

    `left_out` counts the sets of the same size that evidence speaks against.
    """
    keys = tuple(dict.fromkeys(faults.keys for faults in found))
    text = (_opening(len(keys)), *_sentences(found), *_also(found), *_rest(left_out))
    return Explanation(fault_class=class_of(found), candidates=keys[:LISTED], text=" ".join(text))


def unexplained(drift: Counters, why: str) -> Explanation:
    """The explanation of a drift for which nothing was found."""
    amounts = ", ".join(f"{name} {value:+d}" for name, value in drift.nonzero().items())
    text = f"Nothing found accounts for {amounts} (minor units): {why}."
    return Explanation(FaultClass.UNEXPLAINED, (), text)


def _opening(sets: int) -> str:
    if sets == 1:
        return "One set of entries accounts for the whole drift:"
    listed = min(sets, LISTED)
    return (
        f"{listed} of {sets} equally good sets of entries are listed; each accounts for the whole "
        "drift, the books do not tell which is true:"
    )


def _rest(left_out: int) -> list[str]:
    """How many sets fit the numbers but not the payments, webhooks and times."""
    sets = "1 more set" if left_out == 1 else f"{left_out} more sets"
    fit = "fits" if left_out == 1 else "fit"
    reason = "the payments, webhooks and times in the books speak against it"
    return [f"{sets} of the same size {fit} the amounts; {reason}."] if left_out else []


def _sentences(found: Sequence[Faults]) -> list[str]:
    """What each of the first candidates says, numbered when there are several."""
    told = [_sentence(faults) for faults in islice(found, SPELLED_OUT)]
    if len(found) == 1:
        return [f"{told[0]}."]
    numbered = [f"({number}) {text}." for number, text in enumerate(told, start=1)]
    return [*numbered, "..."] if len(found) > SPELLED_OUT else numbered


def _sentence(faults: Faults) -> str:
    parts = [_posting(posting) for posting in faults.postings]
    if faults.reset:
        keys = faults.reset.keys
        parts.insert(0, f"{len(keys)} entries from {keys[0]} to {keys[-1]}: {_RESET}")
    return "; ".join(parts)


_RESET = WORDS[FaultClass.COUNTERS_RESET]


def _posting(posting: Posting) -> str:
    entry = posting.entry
    what = f"{entry.state} {entry.type} {entry.reason} of {entry.amount}"
    return f"{entry.sk} ({what}): {posting.fault_class}, {WORDS[posting.fault_class]}"


def _also(found: Sequence[Faults]) -> list[str]:
    """The classes that would leave the same numbers on the same entries, if any."""
    named = class_of(found).split(OR)
    others = {other for faults in found for p in faults.postings for other in p.others}
    if any(faults.reset for faults in found):
        others |= {FaultClass.ENTRY_NOT_POSTED, FaultClass.ADJUSTMENT_NOT_POSTED}
    rest = [known for known in FaultClass if known in others and known not in named]
    return [f"Also consistent with: {', '.join(rest)}."] if rest else []
