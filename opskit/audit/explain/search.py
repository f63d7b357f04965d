"""The smallest sets of postings that add up to a drift, one side of the counters at a time."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product

from opskit.audit.explain.postings import Posting, Vector

LARGEST_SET = 3
"""Sets of more postings than this are not searched: nearly anything would fit."""


class SearchCutError(Exception):
    """The account's share of work is used up; `fitting` when it went into sets that fit."""

    def __init__(self, *, fitting: bool) -> None:
        super().__init__()
        self.fitting = fitting


TO_LIST = 5
"""Steps that it takes to make a set that fits, beside one vector that is looked at."""


@dataclass(slots=True)
class Budget:
    """How many steps of work one account may still take."""

    steps: int

    def spend(self, steps: int = 1, *, fitting: bool = False) -> None:
        """Take steps off; SearchCutError when none are left."""
        self.steps -= steps
        if self.steps < 0:
            raise SearchCutError(fitting=fitting)


PostingSet = tuple[Posting, ...]


@dataclass(slots=True)
class Side:
    """The postings of one side by what they add to it."""

    postings: Sequence[Posting]
    by_vector: dict[Vector, list[Posting]] = field(default_factory=lambda: defaultdict(list))
    known: list[Vector] = field(default_factory=list)
    sums: set[int] = field(default_factory=lambda: {0})

    def __post_init__(self) -> None:
        for posting in self.postings:
            self.by_vector[posting.vector].append(posting)
        self.known = sorted(self.by_vector)
        self.sums.update(pending + settled for pending, settled in self.known)

    def may_fill(self, target: Vector) -> bool:
        """Whether nothing or a single posting adds up to the target."""
        return target == (0, 0) or target in self.by_vector

    def smallest_sets(
        self,
        target: Vector,
        budget: Budget,
        *,
        largest: int = LARGEST_SET,
        excluded: frozenset[str] = frozenset(),
    ) -> list[PostingSet]:
        """Every set of the smallest size that adds up to the target; [()] for nothing to explain.

        No set holds an excluded entry. [] when none of up to `largest` postings fits.
        """
        if target == (0, 0):
            return [()]
        for size in range(1, largest + 1):
            found = [*self._sets(size, target, budget, excluded)]
            if found:
                return found
        return []

    def _sets(
        self, size: int, target: Vector, budget: Budget, excluded: frozenset[str]
    ) -> Iterator[PostingSet]:
        for vectors in self._vectors(size, target, budget):
            yield from self._filled(vectors, budget, excluded)

    def _vectors(
        self, size: int, target: Vector, budget: Budget, floor: Vector | None = None
    ) -> Iterator[tuple[Vector, ...]]:
        """Each multiset of vectors that adds up to the target, once, in rising order.

        The last vector is looked up, not searched.
        """
        if size == 1:
            if target in self.by_vector and (floor is None or target >= floor):
                yield (target,)
            return
        for vector in self.known[0 if floor is None else bisect_left(self.known, floor) :]:
            budget.spend()
            rest = (target[0] - vector[0], target[1] - vector[1])
            for tail in self._vectors(size - 1, rest, budget, vector):
                yield (vector, *tail)

    def _filled(
        self, vectors: tuple[Vector, ...], budget: Budget, excluded: frozenset[str]
    ) -> Iterator[PostingSet]:
        """The sets of postings with these vectors, each once."""
        for chosen in product(*(self.by_vector[vector] for vector in vectors)):
            budget.spend(TO_LIST, fitting=True)
            in_order = all(_may_follow(*pair) for pair in pairwise(chosen))
            if in_order and not any(posting.lost_with(excluded) for posting in chosen):
                yield _told_apart(chosen)


def _may_follow(before: Posting, after: Posting) -> bool:
    """Whether two postings of a set stand in order, and the same one may stand in it again."""
    if before.vector != after.vector:
        return True
    if before is after:
        return before.again is not None
    return before.entry.sk < after.entry.sk


def _told_apart(chosen: PostingSet) -> PostingSet:
    """The set as its postings read: one that stands there again may be of another class."""
    repeated = (False, *(before is after for before, after in pairwise(chosen)))
    return tuple(
        posting.repeated if again else posting
        for posting, again in zip(chosen, repeated, strict=True)
    )


def doubt_of(postings: PostingSet) -> int:
    """How much evidence speaks against a set in all."""
    return sum(posting.doubt for posting in postings)
