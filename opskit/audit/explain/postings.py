"""The missing or repeated postings that each entry of an account could stand for."""

from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass, field, replace

from opskit.audit.explain.classes import FaultClass
from opskit.audit.explain.evidence import Evidence, doubt, settled_by_one_alone
from opskit.audit.explain.rows import FIRST_WRITES_WINDOW, AccountBooks, Entry

Vector = tuple[int, int]
"""What a posting adds to (pending, settled) of one side."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way an entry in some state can be wrongly counted, in units of its amount.

    `others` are classes that would leave the same numbers on the same entry. `rare` counts against
    it: the service's known ways of drifting do not lead there. `again` is the class of a second
    posting of the same numbers on the same entry, None where there can be none.
    """

    units: Vector
    fault_class: FaultClass
    others: tuple[FaultClass, ...] = ()
    rare: int = 0
    again: FaultClass | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """A pattern on an entry: what it adds to its side, and how much evidence is against it.

    `others` are classes that leave the same numbers on the same entry. `doubt` counts what speaks
    against it, `unlikely` what only makes it less likely than another. `again` is its class where
    a set holds it a second time, None when none can.
    """

    entry: Entry
    vector: Vector
    fault_class: FaultClass
    others: tuple[FaultClass, ...] = ()
    doubt: int = 0
    unlikely: int = 0
    again: FaultClass | None = None

    @property
    def repeated(self) -> "Posting":
        """It a second time in a set: of another class, or less likely the same once more."""
        assert self.again is not None
        classes = (self.fault_class, *self.others)
        return replace(
            self,
            fault_class=self.again,
            others=tuple(other for other in classes if other is not self.again),
            unlikely=self.unlikely + (self.again is self.fault_class),
        )

    def lost_with(self, lost: Container[str]) -> bool:
        """Whether a reset that lost these entries leaves no room for it.

        What was made too often after the reset is no part of what the reset lost.
        """
        return self.entry.sk in lost and self.fault_class not in _LATER_TOO_OFTEN


_LATER_TOO_OFTEN = frozenset(
    {FaultClass.SETTLED_TWICE, FaultClass.RELEASED_TWICE, FaultClass.STATE_NOT_RECORDED}
)


@dataclass(frozen=True, slots=True)
class Sides:
    """The possible postings of an account; a posting never touches both sides."""

    owed: list[Posting] = field(default_factory=list)
    payments: list[Posting] = field(default_factory=list)


_ENTRY_NOT_POSTED = FaultClass.ENTRY_NOT_POSTED
_NOT_RECORDED = FaultClass.STATE_NOT_RECORDED
_SETTLED_TWICE = FaultClass.SETTLED_TWICE
_RELEASE_NOT_POSTED = FaultClass.RELEASE_NOT_POSTED
_RELEASED_TWICE = FaultClass.RELEASED_TWICE
_TWICE = FaultClass.POSTED_TWICE
_BOTH = FaultClass.SETTLED_AND_RELEASED
_ADJUSTED_TWICE = FaultClass.ADJUSTMENT_POSTED_TWICE

_PENDING = (
    Pattern((-1, 0), _ENTRY_NOT_POSTED, (_NOT_RECORDED,), again=_RELEASED_TWICE),
    Pattern((-1, 1), _NOT_RECORDED, again=_SETTLED_TWICE),
    Pattern((1, 0), _TWICE, again=_TWICE),
)
_SETTLED = (
    Pattern((0, -1), _ENTRY_NOT_POSTED),
    Pattern((1, -1), FaultClass.SETTLE_NOT_POSTED),
    Pattern((-1, 1), _SETTLED_TWICE, again=_SETTLED_TWICE),
    Pattern((-1, 0), _ENTRY_NOT_POSTED, (_BOTH,), rare=1),
    Pattern((1, 0), _TWICE, again=_TWICE),
    Pattern((0, 1), _TWICE, again=_TWICE),
)
_REVERSED = (
    Pattern((1, 0), _RELEASE_NOT_POSTED, (_TWICE,), again=_TWICE),
    Pattern((-1, 0), _RELEASED_TWICE, (_ENTRY_NOT_POSTED,), again=_RELEASED_TWICE),
    Pattern((0, 1), _RELEASE_NOT_POSTED, rare=1),
    Pattern((0, -1), _RELEASED_TWICE, rare=1, again=_RELEASED_TWICE),
    Pattern((-1, 1), _BOTH, rare=1),
)
_PATTERNS = {"pending": _PENDING, "settled": _SETTLED, "reversed": _REVERSED}
_ADJUSTMENT = (
    Pattern((0, -1), FaultClass.ADJUSTMENT_NOT_POSTED),
    Pattern((0, 1), _ADJUSTED_TWICE, again=_ADJUSTED_TWICE),
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
            unlikely=settled_by_one_alone(found, evidence),
            again=pattern.again,
        )


def _patterns(entry: Entry) -> tuple[Pattern, ...]:
    """The patterns of an entry's type and state; a reinstated adjustment's are the opposite."""
    if entry.type != "adjustment":
        return _PATTERNS.get(entry.state, ())
    if entry.effect.owed_settled >= 0:
        return _ADJUSTMENT
    return tuple(replace(p, units=(0, -p.units[1])) for p in _ADJUSTMENT)


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
