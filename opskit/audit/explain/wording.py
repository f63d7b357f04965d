"""An explanation in words, with its class and every candidate's keys."""

from collections.abc import Sequence
from itertools import islice
from typing import Protocol

from opskit.audit.explain.classes import WORDS, FaultClass
from opskit.audit.explain.postings import Posting
from opskit.audit.explain.resets import Reset
from opskit.audit.report import Explanation
from opskit.ledger.counters import Counters
from opskit.money import format_minor

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
    @property
    def unlikely(self) -> int: ...  # noqa: D102


def class_of(found: Sequence[Faults]) -> str:
    """The class of the candidates, or their classes joined by OR, in the order of FaultClass."""
    classes = {_class(faults) for faults in found}
    return OR.join(known for known in FaultClass if known in classes)


def _class(faults: Faults) -> FaultClass:
    only, *more = faults.classes
    return FaultClass.SEVERAL if more else only


def explained(found: Sequence[Faults], *, left_out: int, currency: str) -> Explanation:
    """The explanation that equally good sets of faults make together, the likelier ones first.

    `left_out` counts the sets of the same size that evidence speaks against.
    """
    keys = tuple(dict.fromkeys(faults.keys for faults in found))
    text = (
        _opening(len(keys)),
        *_sentences(found, currency),
        *_likelier(found),
        *_also(found),
        *_rest(left_out),
    )
    return Explanation(fault_class=class_of(found), candidates=keys[:LISTED], text=" ".join(text))


def unexplained(drift: Counters, why: str, *, currency: str) -> Explanation:
    """The explanation of a drift for which nothing was found."""
    amounts = ", ".join(
        f"{name.replace('_', ' ')} {'+' if value > 0 else ''}{_money(value, currency)}"
        for name, value in drift.nonzero().items()
    )
    text = f"Nothing found accounts for {amounts}: {why}."
    return Explanation(FaultClass.UNEXPLAINED, (), text)


def _money(amount: int, currency: str) -> str:
    """An amount as a person reads it; only a known currency says what its minor units are."""
    return format_minor(amount, currency) if currency else f"{amount:,} minor units"


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


def _likelier(found: Sequence[Faults]) -> list[str]:
    """Which of the candidates are likelier than the rest, if any are."""
    first = found[0].unlikely
    likelier = {faults.keys for faults in found if faults.unlikely == first}
    rest = {faults.keys for faults in found} - likelier
    if not rest:
        return []
    told = "The first is" if len(likelier) == 1 else f"The first {len(likelier)} are"
    return [f"{told} likelier; {_LIKELIER}."]


_LIKELIER = (
    "the rest is not ruled out, but takes a posting made three times, a capture settled twice "
    "without a webhook in its time, or a release lost after its entry was"
)


def _sentences(found: Sequence[Faults], currency: str) -> list[str]:
    """What each of the first candidates says, numbered when there are several."""
    told = [_sentence(faults, currency) for faults in islice(found, SPELLED_OUT)]
    if len(found) == 1:
        return [f"{told[0]}."]
    numbered = [f"({number}) {text}." for number, text in enumerate(told, start=1)]
    return [*numbered, "..."] if len(found) > SPELLED_OUT else numbered


def _sentence(faults: Faults, currency: str) -> str:
    parts: list[str] = []
    if faults.reset:
        keys = faults.reset.keys
        parts.append(f"{len(keys)} entries from {keys[0]} to {keys[-1]}: {_RESET}")
    for posting in faults.postings:
        told = _posting(posting, currency)
        parts.append(f"{told}, once more" if told in parts else told)
    return "; ".join(parts)


_RESET = WORDS[FaultClass.COUNTERS_RESET]


def _posting(posting: Posting, currency: str) -> str:
    entry = posting.entry
    what = f"{entry.state} {entry.type} {entry.reason} of {_money(entry.amount, currency)}"
    return f"{entry.sk} ({what}): {posting.fault_class}, {WORDS[posting.fault_class]}"


def _also(found: Sequence[Faults]) -> list[str]:
    """The classes that would leave the same numbers on the same entries, if any."""
    named = class_of(found).split(OR)
    others = {other for faults in found for other in _other_classes(faults)}
    if any(faults.reset for faults in found):
        others |= {FaultClass.ENTRY_NOT_POSTED, FaultClass.ADJUSTMENT_NOT_POSTED}
    rest = [known for known in FaultClass if known in others and known not in named]
    return [f"Also consistent with: {', '.join(rest)}."] if rest else []


def _other_classes(faults: Faults) -> set[FaultClass]:
    """The other classes of each posting that the set does not name for its entry anyway."""
    named = {(posting.entry.sk, posting.fault_class) for posting in faults.postings}
    return {
        other
        for posting in faults.postings
        for other in posting.others
        if (posting.entry.sk, other) not in named
    }
