"""The oracle: what the counters should be, and which postings were lost or made too often."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from opskit.ledger.counters import Counters
from opskit.ledger.posting_rules import effect_of
from opskit.sandbox.simulator.world import Move, Step, World
from opskit.tables.items import COUNTERS

ZERO = Counters()


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """One fault that left its mark on the counters: its class and the entries it concerns.

    The class is worked out from the log of movements alone, never from the counters.
    """

    fault_class: str
    keys: tuple[str, ...]


def drift_of(world: World) -> Counters:
    """Stored less what the entries as they stand add up to."""
    balance = world.items.get("BALANCE", {})
    stored = Counters(*(int(str(balance.get(f"{counter}_cents", 0))) for counter in COUNTERS))
    for _, entry in _entries(world):
        stored -= _owed(entry)
    return stored


def faults_of(world: World) -> tuple[InjectedFault, ...]:
    """Every fault whose movements do not cancel out, a reset first.

    Of an entry that a reset struck only what was made too often after it is a fault of its own:
    what else went wrong with it was lost with the rest.
    """
    moves: dict[str, list[Move]] = defaultdict(list)
    for move in world.moves:
        moves[move.sk].append(move)
    return (*_reset(world, moves), *_entry_faults(world, moves))


def _reset(world: World, moves: Mapping[str, list[Move]]) -> Iterator[InjectedFault]:
    """The reset of the counters, if it lost anything."""
    keys = tuple(sk for sk, entry in _entries(world) if _struck(entry, moves.get(sk, [])))
    if keys:
        yield InjectedFault("counters_reset", tuple(sorted(keys)))


def _entry_faults(world: World, moves: Mapping[str, list[Move]]) -> Iterator[InjectedFault]:
    """What was lost or made too often, entry by entry."""
    for sk, entry in _entries(world):
        made = moves.get(sk, [])
        alive = [move for move in made if move.alive]
        if _struck(entry, made):
            found = _later(str(entry["state"]), _steps(alive), unfinished=False)
        else:
            found = _classes(entry, alive) if _sum(alive) != _owed(entry) else iter(())
        yield from (InjectedFault(fault, (sk,)) for fault in found)


def _struck(entry: Mapping[str, object], made: list[Move]) -> bool:
    """Whether a reset lost an entry's first posting, and the counters show it."""
    alive = [move for move in made if move.alive]
    lost = [move for move in made if not move.alive]
    return (
        _sum(lost) != ZERO
        and _sum(alive) != _owed(entry)
        and all(move.step is not Step.POST for move in alive)
    )


def _classes(entry: Mapping[str, object], made: list[Move]) -> Iterator[str]:
    """The class of each fault, from the entry's state and how often each movement was made."""
    steps = _steps(made)
    if entry["type"] == "adjustment":
        yield from _first(steps, "adjustment_not_posted", "adjustment_posted_twice")
        return
    yield from _first(steps, "entry_not_posted", "posted_twice")
    unfinished = _waits(made) and not steps[Step.SETTLE] + steps[Step.RELEASE]
    yield from _later(str(entry["state"]), steps, unfinished=unfinished)


def _first(steps: Counter[Step], missing: str, repeated: str) -> list[str]:
    """What is wrong with the first posting: it is missing, or was made so often too many."""
    return [repeated] * (steps[Step.POST] - 1) if steps[Step.POST] else [missing]


def _later(state: str, steps: Counter[Step], *, unfinished: bool) -> Iterator[str]:
    """What is wrong with the movements after the first."""
    settled, released = steps[Step.SETTLE], steps[Step.RELEASE]
    if settled and released:
        yield "settled_and_released"
        return
    if state == "pending" and settled + released:
        yield "state_not_recorded"
    yield from ["settled_twice"] * (settled - 1)
    yield from ["released_twice"] * (released - 1)
    if unfinished and state != "pending":
        yield "settle_not_posted" if state == "settled" else "release_not_posted"


def _steps(made: list[Move]) -> Counter[Step]:
    return Counter(move.step for move in made)


def _waits(made: list[Move]) -> bool:
    """Whether an entry was first counted as pending."""
    return any(m.delta.owed_pending or m.delta.payments_pending for m in made)


def _entries(world: World) -> Iterator[tuple[str, Mapping[str, object]]]:
    return ((sk, item) for sk, item in world.items.items() if sk.startswith("LEDGER#"))


def _sum(moves: list[Move]) -> Counters:
    total = ZERO
    for move in moves:
        total += move.delta
    return total


def _owed(entry: Mapping[str, object]) -> Counters:
    """What an entry as it stands adds to the counters by the posting rules."""
    effect = effect_of(str(entry["type"]), str(entry["state"]), str(entry["reason"]))
    assert effect is not None
    amount = int(str(entry["amount_cents"]))
    return Counters(*(unit * amount for unit in effect.values()))
