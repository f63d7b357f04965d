"""The missing or repeated postings that each entry of an account could stand for."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from opskit.audit.explain.classes import FaultClass
from opskit.audit.explain.evidence import Evidence, doubt
from opskit.audit.explain.rows import FIRST_WRITES_WINDOW, AccountBooks, Entry

Vector = tuple[int, int]
"""What a posting adds to (pending, settled) of one side."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way an entry in some state can be wrongly counted, in units of its amount.

    `others` are classes that would leave the same numbers on the same entry. `rare` counts against
    it: the service's known ways of drifting do not lead there.
    """

    units: Vector
    fault_class: FaultClass
    others: tuple[FaultClass, ...] = ()
    rare: int = 0


@dataclass(frozen=True, slots=True)
class Posting:
    """A pattern on an entry: what it adds to its side, and how much evidence is against it.

    `others` are classes that leave the same numbers on the same entry.
    """

    entry: Entry
    vector: Vector
    fault_class: FaultClass
    others: tuple[FaultClass, ...] = ()
    doubt: int = 0


@dataclass(frozen=True, slots=True)
class Sides:
    """The possible postings of an account; a posting never touches both sides."""

    owed: list[Posting] = field(default_factory=list)
    payments: list[Posting] = field(default_factory=list)


_PENDING = (
    Pattern((-1, 0), FaultClass.ENTRY_NOT_POSTED, (FaultClass.STATE_NOT_RECORDED,)),
    Pattern((-1, 1), FaultClass.STATE_NOT_RECORDED),
    Pattern((1, 0), FaultClass.POSTED_TWICE),
)
_SETTLED = (
    Pattern((0, -1), FaultClass.ENTRY_NOT_POSTED),
    Pattern((1, -1), FaultClass.SETTLE_NOT_POSTED),
    Pattern((-1, 1), FaultClass.SETTLED_TWICE),
    Pattern((-1, 0), FaultClass.ENTRY_NOT_POSTED, (FaultClass.SETTLED_AND_RELEASED,), rare=1),
    Pattern((1, 0), FaultClass.POSTED_TWICE),
    Pattern((0, 1), FaultClass.POSTED_TWICE),
)
_REVERSED = (
    Pattern((1, 0), FaultClass.RELEASE_NOT_POSTED, (FaultClass.POSTED_TWICE,)),
    Pattern((-1, 0), FaultClass.RELEASED_TWICE, (FaultClass.ENTRY_NOT_POSTED,)),
    Pattern((0, 1), FaultClass.RELEASE_NOT_POSTED, rare=1),
    Pattern((0, -1), FaultClass.RELEASED_TWICE, rare=1),
    Pattern((-1, 1), FaultClass.SETTLED_AND_RELEASED, rare=1),
)
_PATTERNS = {"pending": _PENDING, "settled": _SETTLED, "reversed": _REVERSED}
_ADJUSTMENT = (
    Pattern((0, -1), FaultClass.ADJUSTMENT_NOT_POSTED),
    Pattern((0, 1), FaultClass.ADJUSTMENT_POSTED_TWICE),
)


def possible_postings(books: AccountBooks) -> Sides:
    """Every pattern of every entry that moves money, with the doubt the evidence casts on it."""
    sides = Sides()
    payments = {payment.ledger_sk: payment for payment in books.payments}
    moments = Counter(entry.ts for entry in books.entries)
    moments.update({p.updated_at for p in books.payments if p.updated_at is not None})
    opened = min((entry.ts for entry in books.entries if entry.amount), default=0)
    for entry in books.entries:
        evidence = Evidence(books, entry, payments.get(entry.sk), moments)
        side = sides.payments if entry.type == "credit" else sides.owed
        early = entry.ts - opened <= FIRST_WRITES_WINDOW
        side += (_lost_to_reset(p) if early else p for p in _postings(evidence))
    return sides


def _lost_to_reset(posting: Posting) -> Posting:
    """The posting of an account's opening, where racing first writes could be the cause.

    They lose what a crash would not have, so that one piece of evidence speaks no more against it.
    """
    classes = (posting.fault_class, *posting.others)
    if FaultClass.ENTRY_NOT_POSTED not in classes:
        return posting
    others = (*posting.others, FaultClass.COUNTERS_RESET)
    return replace(posting, others=others, doubt=max(0, posting.doubt - 1))


def _postings(evidence: Evidence) -> Iterator[Posting]:
    entry = evidence.entry
    if not entry.amount:
        return
    for pattern in _patterns(entry):
        pending, settled = pattern.units
        found, others = _narrowed(pattern, evidence)
        yield Posting(
            entry=entry,
            vector=(pending * entry.amount, settled * entry.amount),
            fault_class=found,
            others=others,
            doubt=pattern.rare + doubt(found, pattern.units, evidence),
        )


def _patterns(entry: Entry) -> tuple[Pattern, ...]:
    """The patterns of an entry's type and state; a reinstated adjustment's are the opposite."""
    if entry.type != "adjustment":
        return _PATTERNS.get(entry.state, ())
    if entry.effect.owed_settled >= 0:
        return _ADJUSTMENT
    return tuple(Pattern((0, -p.units[1]), p.fault_class) for p in _ADJUSTMENT)


def _narrowed(pattern: Pattern, evidence: Evidence) -> tuple[FaultClass, tuple[FaultClass, ...]]:
    """The pattern's class and the others that leave the same numbers, as the evidence ranks them.

    A payment record is written after the counters: where there is one, the entry was counted.
    """
    found, others = pattern.fault_class, pattern.others
    if pattern.units == (-1, 0) and evidence.entry.state == "pending":
        if evidence.counters_untouched_since_entry:
            return found, ()
        if evidence.payment is not None and not evidence.counters_untouched_since_payment:
            return others[0], (found,)
    if pattern.units == (1, 0) and evidence.counters_untouched_since_payment:
        return found, ()
    if pattern.units == (1, 0) and others and evidence.release_was_counted:
        return others[0], ()
    return found, others
