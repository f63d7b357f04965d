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
    for sk, entry in world.items.items():
        if sk.startswith("LEDGER#"):
            stored -= _owed(entry)
    return stored


def faults_of(world: World) -> tuple[InjectedFault, ...]:
    """Every fault whose movements do not cancel out, a reset first."""
    moves: dict[str, list[Move]] = defaultdict(list)
    for move in world.moves:
        moves[move.sk].append(move)
    return (*_reset(moves), *_entry_faults(world, moves))


def _reset(moves: Mapping[str, list[Move]]) -> Iterator[InjectedFault]:
    """The reset of the counters, if it lost anything."""
    lost = {sk: _sum([move for move in made if not move.alive]) for sk, made in moves.items()}
    keys = tuple(sorted(sk for sk, effect in lost.items() if effect != ZERO))
    if keys:
        yield InjectedFault("counters_reset", keys)


def _entry_faults(world: World, moves: Mapping[str, list[Move]]) -> Iterator[InjectedFault]:
    """What was lost or made too often, entry by entry, as if nothing had been reset."""
    for sk, entry in world.items.items():
        if sk.startswith("LEDGER#") and _sum(moves.get(sk, [])) != _owed(entry):
            made = Counter(move.step for move in moves.get(sk, []))
            yield InjectedFault(_class(entry, made), (sk,))


def _class(entry: Mapping[str, object], made: Counter[Step]) -> str:
    """The class of an entry's fault, from its state and how often each movement was made."""
    if entry["type"] == "adjustment":
        return "adjustment_not_posted" if not made[Step.POST] else "adjustment_posted_twice"
    wrong = [*_anomalies(str(entry["state"]), made)]
    if not wrong:
        return "settle_not_posted"
    return wrong[0] if len(wrong) == 1 else "several"


def _anomalies(state: str, made: Counter[Step]) -> Iterator[str]:
    posted, settled, released = made[Step.POST], made[Step.SETTLE], made[Step.RELEASE]
    if not posted:
        yield "entry_not_posted"
    if posted > 1:
        yield "posted_twice"
    if settled and released:
        yield "settled_and_released"
        return
    yield from _of_state(state, settled, released, posted=bool(posted))


def _of_state(state: str, settled: int, released: int, *, posted: bool) -> Iterator[str]:
    """What the movements after the first say against the state; at most one of each is right."""
    if state == "pending" and settled + released:
        yield "state_not_recorded"
    if state == "settled" and settled > 1:
        yield "settled_twice"
    if state == "settled" and released:
        yield "settled_and_released"
    if state == "reversed" and released > 1:
        yield "released_twice"
    if state == "reversed" and posted and not released:
        yield "release_not_posted"


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
