"""Explaining one account's drift: the smallest sets of faults that account for all of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from opskit.audit.explain.classes import FaultClass
from opskit.audit.explain.postings import possible_postings
from opskit.audit.explain.resets import FEWEST_DROPPED, Reset, possible_resets
from opskit.audit.explain.rows import AccountBooks
from opskit.audit.explain.search import (
    LARGEST_SET,
    TO_LIST,
    Budget,
    PostingSet,
    SearchCutError,
    Side,
    doubt_of,
)
from opskit.audit.explain.wording import explained, unexplained
from opskit.audit.report import Explanation
from opskit.ledger.counters import Counters

STEPS_PER_ACCOUNT = 500_000
"""How much searching one account may take: half a second on one core.

It is up to two seconds where tens of thousands of sets fit. What comes before the search grows with
the entries, by about a second for 20,000 of them. The steps are enough for any two faults a side in
an account of 20,000 entries of different amounts, and for any three in one of 200.
"""

RESET_SIZE = 2
"""A reset weighs as much as the two missing postings that it can least be told from."""


@dataclass(frozen=True, slots=True)
class FaultSet:
    """Faults that together account for a drift: postings, and at most one reset."""

    postings: PostingSet
    reset: Reset | None = None

    @property
    def size(self) -> int:
        """How much went wrong: one for each posting, RESET_SIZE for a reset."""
        return len(self.postings) + (RESET_SIZE if self.reset else 0)

    @property
    def doubt(self) -> int:
        """How much evidence speaks against it."""
        return doubt_of(self.postings)

    @property
    def unlikely(self) -> int:
        """How much makes it less likely than another set of as little doubt."""
        found = sum(posting.unlikely for posting in self.postings)
        return found + (self.reset.unlikely if self.reset else 0)

    @property
    def keys(self) -> tuple[str, ...]:
        """The sort keys of the entries concerned, in order."""
        dropped = self.reset.keys if self.reset else ()
        return tuple(sorted({*dropped, *(posting.entry.sk for posting in self.postings)}))

    @property
    def classes(self) -> tuple[FaultClass, ...]:
        """The class of each fault, without repeats."""
        found = [posting.fault_class for posting in self.postings]
        found += [FaultClass.COUNTERS_RESET] if self.reset else []
        return tuple(dict.fromkeys(found))


def explain_drift(
    books: AccountBooks, drift: Counters, *, currency: str = "", steps: int = STEPS_PER_ACCOUNT
) -> Explanation:
    """The smallest sets of missing or repeated postings that account for all four counters.

    Every equally good set is a candidate: as small, and with as little evidence against it. The
    class is `unexplained` when nothing fits or when the search used up its steps. The text has
    amounts in the currency, or in minor units where it is "", not known.
    """
    try:
        found = fault_sets(books, drift, steps=steps)
    except SearchCutError as cut:
        return unexplained(drift, _cut(steps, fitting=cut.fitting), currency=currency)
    if not found:
        return unexplained(drift, _NOTHING_FITS, currency=currency)
    best = least_doubted(found)
    return explained(best, left_out=len(found) - len(best), currency=currency)


_NOTHING_FITS = f"no set of up to {LARGEST_SET} missing or repeated postings a side fits"


def _cut(steps: int, *, fitting: bool) -> str:
    """Why a search that used up its steps has no answer."""
    ended = f"the search ended at its bound of {steps:,} steps for an account"
    if fitting:
        return f"{ended}, more sets of entries fit one side or both than it can compare"
    return f"{ended}, before it had tried every set of up to {LARGEST_SET} postings a side"


def least_doubted(found: Sequence[FaultSet]) -> list[FaultSet]:
    """The sets that the evidence speaks least against, the likelier ones first."""
    least = min((faults.doubt for faults in found), default=0)
    best = [faults for faults in found if faults.doubt == least]
    return sorted(best, key=lambda faults: faults.unlikely)


def fault_sets(
    books: AccountBooks, drift: Counters, *, steps: int = STEPS_PER_ACCOUNT
) -> list[FaultSet]:
    """Every set of the smallest size; SearchCutError when the steps are used up."""
    sides = possible_postings(books)
    search = _Search(books, Side(sides.owed), Side(sides.payments), Budget(steps))
    found = search.cheap(drift) or search.dear(drift)
    least = min((faults.size for faults in found), default=0)
    distinct = {(s.keys, s.classes, s.doubt): s for s in found if s.size == least}
    return [*distinct.values()]


@dataclass(frozen=True, slots=True)
class _Search:
    """One account's possible faults, and the work that may still go into trying them."""

    books: AccountBooks
    owed: Side
    payments: Side
    budget: Budget

    def cheap(self, drift: Counters) -> list[FaultSet]:
        """Sets of up to two postings a side, and of a reset where that is as small."""
        found = [*self._without_reset(drift, 2)]
        size = min((faults.size for faults in found), default=RESET_SIZE)
        if size >= RESET_SIZE:
            found += self._with_reset(drift, size - RESET_SIZE)
        return found

    def dear(self, drift: Counters) -> list[FaultSet]:
        """Sets of up to LARGEST_SET postings a side, and of a reset with one a side."""
        return [*self._with_reset(drift, 2), *self._without_reset(drift, LARGEST_SET)]

    def _without_reset(self, drift: Counters, largest: int) -> Iterator[FaultSet]:
        """The smallest sets of postings alone."""
        owed, paid = _split(drift)
        owed_sets = self.owed.smallest_sets(owed, self.budget, largest=largest)
        if owed_sets:
            paid_sets = self.payments.smallest_sets(paid, self.budget, largest=largest)
            yield from self._joined(owed_sets, paid_sets)

    def _with_reset(self, drift: Counters, more: int) -> Iterator[FaultSet]:
        """Sets of one reset and up to so many postings, at most one a side."""

        def worth(taken: Counters) -> bool:
            self.budget.spend(TO_LIST)
            owed, paid = _sums(drift - taken)
            if not more:
                return (owed, paid) == (0, 0)
            return owed in self.owed.sums and paid in self.payments.sums

        for reset in possible_resets(self.books, worth):
            self.budget.spend(TO_LIST)
            owed, paid = _split(drift - reset.drift)
            if (owed != (0, 0)) + (paid != (0, 0)) <= more and (
                self.owed.may_fill(owed) and self.payments.may_fill(paid)
            ):
                self.budget.spend(reset.number, fitting=True)
                yield from self._beside(reset, owed, paid)

    def _beside(
        self, reset: Reset, owed: tuple[int, int], paid: tuple[int, int]
    ) -> Iterator[FaultSet]:
        """The reset with one posting of each side that it leaves something of."""
        keys = reset.keys
        if len(keys) < FEWEST_DROPPED:
            return
        sets = [
            side.smallest_sets(rest, self.budget, largest=1, excluded=frozenset(keys))
            for side, rest in ((self.owed, owed), (self.payments, paid))
        ]
        yield from self._joined(*sets, reset=reset)

    def _joined(
        self,
        owed: Sequence[PostingSet],
        paid: Sequence[PostingSet],
        *,
        reset: Reset | None = None,
    ) -> Iterator[FaultSet]:
        """Each set of one side with each of the other."""
        for left, right in product(owed, paid):
            self.budget.spend(TO_LIST, fitting=True)
            yield FaultSet((*left, *right), reset)


def _sums(drift: Counters) -> tuple[int, int]:
    """Pending and settled together, of each side."""
    return (
        drift.owed_pending + drift.owed_settled,
        drift.payments_pending + drift.payments_settled,
    )


def _split(drift: Counters) -> tuple[tuple[int, int], tuple[int, int]]:
    """The owed and the payments part, each (pending, settled)."""
    return (
        (drift.owed_pending, drift.owed_settled),
        (drift.payments_pending, drift.payments_settled),
    )
