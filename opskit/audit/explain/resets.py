"""Where BALANCE may have been written anew at zeros, and what that lost."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, product

from opskit.audit.explain.rows import FIRST_WRITES_WINDOW, AccountBooks, Entry
from opskit.ledger.counters import Counters

FEWEST_DROPPED = 2
"""A reset that drops one entry cannot be told from that entry never having been counted."""

FIRST_WRITERS = 3
"""So many of an account's first entries may be the one whose first write of BALANCE was slow."""

LATE_DEBITS = 3
"""So many of the debits before a reset may have been settled after it."""

ZERO = Counters()


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

    An entry whose payment was last written after the reset lost only its first posting. While the
    account is new, one of the first entries may be kept: that of the slow first write which lost
    the others.
    """
    settled_at = {p.ledger_sk: p.updated_at for p in books.payments if p.updated_at is not None}
    plain = [_Step(entry.ts, entry.sk, entry.effect) for entry in books.entries]
    fine = [step for entry in books.entries for step in _steps(entry, settled_at.get(entry.sk))]
    first = [entry.sk for entry in books.entries[:FIRST_WRITERS]]
    found = dict.fromkeys((*_resets(plain, first), *_resets(fine, first)))
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


def _resets(steps: Iterable[_Step], first: Sequence[str]) -> Iterator[Reset]:
    """A reset after each moment, with all that the counters had taken in by then."""
    taken: dict[str, Counters] = defaultdict(Counters)
    ordered = sorted(steps, key=lambda step: step.at)
    opened = ordered[0].at if ordered else 0
    for at, moment in groupby(ordered, key=lambda step: step.at):
        for step in moment:
            taken[step.sk] += step.effect
        new = at <= opened + FIRST_WRITES_WINDOW
        for kept in ("", *first) if new else ("",):
            lost = {sk: effect for sk, effect in taken.items() if sk != kept and effect != ZERO}
            if len(lost) >= FEWEST_DROPPED:
                keys, total = tuple(sorted(lost)), ZERO - sum(lost.values(), start=ZERO)
                yield from (Reset(keys, total + late) for late in _settled_after(lost))


def _settled_after(lost: Mapping[str, Counters]) -> Iterator[Counters]:
    """What changes when the latest settled debits were settled only after the reset.

    Nothing tells when a debit was settled, so that every choice of the last few is possible.
    """
    amounts = [effect.owed_settled for effect in lost.values() if effect.owed_settled > 0]
    for chosen in product((0, 1), repeat=len(amounts[-LATE_DEBITS:])):
        late = sum(a for a, used in zip(amounts[-LATE_DEBITS:], chosen, strict=True) if used)
        yield Counters(owed_pending=-late, owed_settled=late)
