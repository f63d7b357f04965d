"""Where BALANCE may have been written anew at zeros, and what that lost."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, groupby, islice, product
from operator import itemgetter

from opskit.audit.explain.rows import FIRST_WRITES_WINDOW, AccountBooks, Entry
from opskit.ledger.counters import Counters

FEWEST_DROPPED = 2
"""A reset that drops one entry cannot be told from that entry never having been counted."""

FIRST_WRITERS = 3
"""So many of an account's first entries may be the one whose first write of BALANCE was slow."""

LATEST = 12
LATE_SETTLED = 4
"""Of the LATEST entries before a reset, so many may have been settled after it."""

ZERO = Counters()


@dataclass(frozen=True, slots=True)
class Reset:
    """BALANCE written anew: the first `number` entries, and what the counters lost with them.

    `ended` says when each payment was last written; `spared` are the entries that lost nothing.
    """

    at: int
    entries: Sequence[Entry]
    number: int
    ended: Mapping[str, int]
    spared: tuple[Entry, ...]
    drift: Counters

    @property
    def unlikely(self) -> int:
        """How many entries it spares only because another fault undid what it lost."""
        return sum(_released_later(entry, self.ended, self.at) for entry in self.spared)

    @property
    def keys(self) -> tuple[str, ...]:
        """The sort keys of the entries that lost anything, in order."""
        return tuple(
            entry.sk
            for entry in islice(self.entries, self.number)
            if entry not in self.spared and _lost(entry, self.ended, self.at) != ZERO
        )


def possible_resets(books: AccountBooks, worth: Callable[[Counters], bool]) -> Iterator[Reset]:
    """Every moment that drops at least two entries, as a reset, in the order of time.

    What a reset drops changes with each entry and with each release. `worth` says from what a
    reset takes away whether it is worth looking at; entries settled later only move that between
    pending and settled.

    An entry that was settled or released only after the reset lost its first posting alone. While
    the account is new, some may have lost nothing (`_spared`).
    """
    ended = {p.ledger_sk: p.updated_at for p in books.payments if p.updated_at is not None}
    entries = sorted(books.entries, key=lambda entry: (entry.ts, entry.sk))
    for at, number, total in _moments(entries, ended):
        new = at <= entries[0].ts + FIRST_WRITES_WINDOW
        for spared in _spared(entries[:number], ended, at) if new else [()]:
            lost = sum((ZERO - _lost(entry, ended, at) for entry in spared), start=total)
            if not worth(ZERO - lost):
                continue
            latest = [e for e in entries[max(0, number - LATEST) : number] if e not in spared]
            for late in _settled_later(latest, ended, at):
                yield Reset(at, entries, number, ended, spared, late - lost)


def _spared(
    entries: Sequence[Entry], ended: Mapping[str, int], at: int
) -> Iterator[tuple[Entry, ...]]:
    """Who may have lost nothing by a reset of these entries: nobody, or one, or one of each kind.

    One of the first is that of the slow first write which lost the others. One of the latest was
    to be released, and neither its first posting nor its release is in the counters.
    """
    first = [(), *((entry,) for entry in entries[:FIRST_WRITERS])]
    latest = [entry for entry in entries[-LATEST:] if _released_later(entry, ended, at)]
    for kept, undone in product(first, [(), *((entry,) for entry in latest)]):
        if kept != undone or not kept:
            yield (*kept, *undone)


def _moments(
    entries: Sequence[Entry], ended: Mapping[str, int]
) -> Iterator[tuple[int, int, Counters]]:
    """Each moment that an entry came or was released at.

    The time, how many entries there were, and what they had counted.
    """
    total, number = ZERO, 0
    for at, happened in groupby(_happenings(entries, ended), key=itemgetter(0)):
        for _, came, counted in happened:
            number += came
            total += counted
        if number >= FEWEST_DROPPED:
            yield at, number, total


def _happenings(
    entries: Sequence[Entry], ended: Mapping[str, int]
) -> list[tuple[int, int, Counters]]:
    """Each entry and each later release by its time: how many entries came, what was counted."""
    came = [(entry.ts, 1, _lost(entry, ended, entry.ts)) for entry in entries]
    released = [
        (ended[entry.sk], 0, Counters(payments_pending=-entry.amount))
        for entry in entries
        if entry.state == "reversed" and ended.get(entry.sk, entry.ts) > entry.ts
    ]
    return sorted([*came, *released], key=itemgetter(0))


def _settled_later(
    entries: Sequence[Entry], ended: Mapping[str, int], at: int
) -> Iterator[Counters]:
    """What changes when some of the latest entries were settled only after the reset."""
    open_ = [entry for entry in entries if _may_have_settled_later(entry, ended, at)]
    for chosen in product((False, True), repeat=len(open_[-LATE_SETTLED:])):
        later = compress(open_[-LATE_SETTLED:], chosen)
        yield sum((_settlement(entry) for entry in later), start=ZERO)


def _lost(entry: Entry, ended: Mapping[str, int], at: int) -> Counters:
    """What a reset drops of an entry: all, or what was pending of one released only later."""
    if _released_later(entry, ended, at):
        return Counters(payments_pending=entry.amount)
    return entry.effect


def _released_later(entry: Entry, ended: Mapping[str, int], at: int) -> bool:
    return entry.state == "reversed" and ended.get(entry.sk, at) > at


def _may_have_settled_later(entry: Entry, ended: Mapping[str, int], at: int) -> bool:
    """Whether a settled entry may have been pending at that time: nothing in the books denies it.

    A debit has no payment to tell; a payment's last write may have been a later one.
    """
    if entry.state != "settled" or entry.type == "adjustment":
        return False
    return entry.type == "debit" or ended.get(entry.sk, at + 1) > at


def _settlement(entry: Entry) -> Counters:
    """What an entry's settlement alone adds to the counters."""
    if entry.type == "debit":
        return Counters(owed_pending=-entry.amount, owed_settled=entry.amount)
    return Counters(payments_pending=-entry.amount, payments_settled=entry.amount)
