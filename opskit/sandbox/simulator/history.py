"""A simulated history: one account's life under faults, with the truth about its counters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from opskit.ledger.counters import Counters
from opskit.sandbox.account import DAY, Processor, dice
from opskit.sandbox.items import Item, item
from opskit.sandbox.simulator import ccbill, paypal, stripe, usage
from opskit.sandbox.simulator.faults import CLEAN, FaultRates
from opskit.sandbox.simulator.truth import InjectedFault, drift_of, faults_of
from opskit.sandbox.simulator.world import Flow, World
from opskit.tables.items import Layout

FlowMaker = Callable[[World], Flow]

AS_OF = datetime(2026, 12, 1, tzinfo=UTC)
QUIET = 7 * DAY
"""A history that runs to its end had its last business begun this long before `as_of`."""

FLOWS: Mapping[Processor, Sequence[FlowMaker]] = {
    Processor.STRIPE: (stripe.charge, stripe.charge, stripe.charge, usage.use, usage.meter),
    Processor.PAYPAL: (
        paypal.charge,
        paypal.charge,
        paypal.charge,
        paypal.approve_later,
        paypal.captured_by_webhook,
        paypal.subscription_charge,
        usage.use,
        usage.meter,
    ),
    Processor.CCBILL: (ccbill.charge, ccbill.charge, ccbill.sign_up, usage.use, usage.meter),
}
"""What accounts of each processor do, each as often as it stands here."""


@dataclass(frozen=True, slots=True)
class History:
    """One account's items in DynamoDB JSON, markers with them, and the truth about them.

    `drift` is stored less what the entries add up to; `injected` names what caused it and is empty
    when nothing did; `stormy` when faults could have struck; `in_flight` when a flow was half way
    through its writes at the end.
    """

    seed: int
    account: str
    layout: Layout
    items: tuple[Item, ...]
    drift: Counters
    injected: tuple[InjectedFault, ...]
    stormy: bool
    in_flight: bool
    writes: int

    @property
    def keys(self) -> tuple[str, ...]:
        """The sort keys of every entry that a fault concerns, in order."""
        return tuple(sorted({key for fault in self.injected for key in fault.keys}))

    @property
    def fault_class(self) -> str:
        """The class of its faults, `several` when they differ, "" when there is none."""
        classes = {fault.fault_class for fault in self.injected}
        return "several" if len(classes) > 1 else next(iter(classes), "")


def simulate(
    seed: int,
    *,
    flows: int | None = None,
    faults: FaultRates = CLEAN,
    as_of: datetime = AS_OF,
    stop_after: int | None = None,
) -> History:
    """The history of a seed: the same arguments always give the same one.

    `flows` is the number of flows (1 to 8 by chance unless given). `stop_after` cuts it after so
    many writes, the last of them within a minute before `as_of`.
    """
    end = int(as_of.timestamp())
    world = _run(seed, end - QUIET - 40 * DAY, flows, faults, stop_after)
    if stop_after is not None:
        late_by = end - world.now - dice(seed, "cut").randint(0, 60)
        world = _run(seed, end - QUIET - 40 * DAY + late_by, flows, faults, stop_after)
    return history_of(world)


def history_of(world: World) -> History:
    """What has happened in a world so far; its number is the seed."""
    return History(
        seed=world.number,
        account=world.account,
        layout=world.layout,
        items=_items(world),
        drift=drift_of(world),
        injected=faults_of(world),
        stormy=world.faults != CLEAN,
        in_flight=world.in_flight,
        writes=world.writes,
    )


def begin(seed: int, start: int, *, flows: int | None = None, faults: FaultRates = CLEAN) -> World:
    """A world with its flows on the agenda, nothing of them run yet."""
    rng = dice("history", seed)
    processor = rng.choice(tuple(Processor))
    world = World(rng, seed, processor, faults, start)
    world.list_priced = rng.random() < 0.25
    world.slow_opening = world.chance(faults.reset)
    at = 0
    for _ in range(flows or rng.randint(1, 8)):
        flow = rng.choice(FLOWS[processor])
        world.start(flow(world), after=at)
        crowded = world.slow_opening and rng.random() < 0.6
        at += rng.randint(0, 30) if crowded else rng.randint(7_200, 3 * DAY)
    return world


def go_on(world: World) -> None:
    """Put one more flow on a world's agenda."""
    world.start(world.rng.choice(FLOWS[world.processor])(world))


def item_of(world: World, sk: str) -> Item:
    """One item of a world's account as DynamoDB JSON."""
    return item(**{world.layout.value: world.account, "sk": sk}, **world.items[sk])


def _run(
    seed: int, start: int, flows: int | None, faults: FaultRates, stop_after: int | None
) -> World:
    world = begin(seed, start, flows=flows, faults=faults)
    world.run(writes=stop_after)
    return world


def _items(world: World) -> tuple[Item, ...]:
    """Everything in the model table, as DynamoDB JSON."""
    name = world.layout.value
    own = [item_of(world, sk) for sk in world.items]
    markers = [
        item(**{name: partition, "sk": event}, **attributes)
        for (partition, event), attributes in world.markers.items()
    ]
    return (*own, *markers)
