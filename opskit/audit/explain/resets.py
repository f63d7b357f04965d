"""Where BALANCE may have been written anew at zeros, and what that lost."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from opskit.audit.explain.rows import AccountBooks, Entry
from opskit.ledger.counters import Counters

FEWEST_DROPPED = 2
"""A reset that drops one entry cannot be told from that entry never having been counted."""


@dataclass(frozen=True, slots=True)
class Reset:
    """BALANCE written anew: the entries counted before it, and what they lost."""

    keys: tuple[str, ...]
    drift: Counters


@dataclass(frozen=True, slots=True)
class _Step:
    """What the counters took in at one moment on account of one entry."""

    at: int
    sk: str
    effect: Counters


def possible_resets(books: AccountBooks) -> tuple[Reset, ...]:
    """Every moment that drops at least two entries, as a reset; equal ones once.

    An entry whose payment was last written after the reset lost only its first posting.
    """
    settled_at = {p.ledger_sk: p.updated_at for p in books.payments if p.updated_at is not None}
    plain = [_Step(entry.ts, entry.sk, entry.effect) for entry in books.entries]
    fine = [step for entry in books.entries for step in _steps(entry, settled_at.get(entry.sk))]
    found = dict.fromkeys((*_resets(plain), *_resets(fine)))
    return tuple(found)


def _steps(entry: Entry, settled_at: int | None) -> Iterator[_Step]:
    """An entry's postings in time: pending first where its payment was written later."""
    moved_on = entry.type == "credit" and entry.state in ("settled", "reversed")
    if not moved_on or settled_at is None or settled_at <= entry.ts:
        yield _Step(entry.ts, entry.sk, entry.effect)
        return
    first = Counters(payments_pending=entry.amount)
    yield _Step(entry.ts, entry.sk, first)
    yield _Step(settled_at, entry.sk, entry.effect - first)


def _resets(steps: Iterable[_Step]) -> Iterator[Reset]:
    """A reset after each moment, with all that the counters had taken in by then."""
    taken: dict[str, Counters] = defaultdict(Counters)
    total = Counters()
    ordered = sorted(steps, key=lambda step: (step.at, step.sk))
    for number, step in enumerate(ordered):
        taken[step.sk] += step.effect
        total += step.effect
        last_of_moment = number + 1 == len(ordered) or ordered[number + 1].at > step.at
        if not last_of_moment:
            continue
        keys = tuple(sk for sk, effect in taken.items() if effect != Counters())
        if len(keys) >= FEWEST_DROPPED:
            yield Reset(keys, Counters() - total)
