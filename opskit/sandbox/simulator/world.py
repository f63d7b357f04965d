"""One account's slice of a model table, and the clock that flows write to it by."""

import heapq
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from enum import Enum
from random import Random

from opskit.ledger.counters import Counters
from opskit.sandbox.account import DAY, MARKER_DAYS, Processor
from opskit.sandbox.simulator.faults import FaultRates
from opskit.tables.items import COUNTERS, USER_PREFIX, Layout

Flow = Generator[int, None, None]
"""What the service does, a write at a time: it yields the seconds until it goes on."""

LIST_PRICES = (999, 1_499, 1_999, 2_499, 4_900)


class Step(Enum):
    """Which of an entry's movements a write to the counters is."""

    POST = "post"
    SETTLE = "settle"
    RELEASE = "release"


@dataclass(slots=True)
class Move:
    """One movement of the counters as it was made; `alive` until a reset loses it."""

    sk: str
    step: Step
    delta: Counters
    alive: bool = True


@dataclass(slots=True)
class World:
    """The items of one account by sort key, its markers, its clock, and all moves ever made.

    Items hold plain values. With a `clock` everything happens at its time, in the same order, and
    `on_write` is told the sort key of each item of the account that was written.
    """

    rng: Random
    number: int
    processor: Processor
    faults: FaultRates
    now: int
    items: dict[str, dict[str, object]] = field(default_factory=dict)
    markers: dict[tuple[str, str], dict[str, object]] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    on_write: Callable[[str], None] = lambda _: None
    clock: Callable[[], int] | None = None
    writes: int = 0
    serial: int = 0
    slow_opening: bool = False
    list_priced: bool = False
    _agenda: list[tuple[int, int, Flow]] = field(default_factory=list)
    _begun: set[int] = field(default_factory=set)

    @property
    def user(self) -> str:
        """The service's user id."""
        return f"{self.processor}-{self.number:07d}"

    @property
    def layout(self) -> Layout:
        """The key layout that the account's code path uses."""
        return Layout.USER_SUB if self.processor is Processor.CCBILL else Layout.PK

    @property
    def account(self) -> str:
        """The partition key value."""
        return f"{USER_PREFIX}{self.user}" if self.layout is Layout.PK else self.user

    def chance(self, rate: float) -> bool:
        """Whether something of that rate happens now."""
        return rate > 0 and self.rng.random() < rate

    def price(self) -> int:
        """An amount a user might owe or pay, in minor units."""
        if self.list_priced:
            return self.rng.choice(LIST_PRICES)
        return self.rng.randint(200, 30_000)

    def reference(self, prefix: str) -> str:
        """A new processor id, never given twice."""
        self.serial += 1
        return f"{prefix}{self.number:07d}{self.serial:03d}"

    def pause(self) -> int:
        """Seconds between two writes of one flow."""
        return self.rng.randint(0, 1)

    def call(self) -> int:
        """Seconds a processor takes to answer."""
        return self.rng.randint(1, 20)

    # The scheduler

    def start(self, flow: Flow, after: int = 0) -> None:
        """Have a flow begin so many seconds from now."""
        self.serial += 1
        heapq.heappush(self._agenda, (self.now + after, self.serial, flow))

    def deliver(self, webhook: Callable[[], Flow], after: int = 0) -> None:
        """Have a webhook come so many seconds from now, once in a while twice the same."""
        for repeat in range(2 if self.chance(self.faults.reorder) else 1):
            self.start(webhook(), after=after + 5 * repeat)

    def run(self, *, writes: int | None = None) -> None:
        """Run what is on the agenda in the order of time, or until so many writes are made."""
        while self._agenda and (writes is None or self.writes < writes):
            at, serial, flow = heapq.heappop(self._agenda)
            self.now = self.clock() if self.clock else max(self.now, at)
            self._begun.add(serial)
            delay = next(flow, None)
            if delay is None:
                self._begun.discard(serial)
            elif self.chance(self.faults.crash):
                flow.close()
                self._begun.discard(serial)
            else:
                heapq.heappush(self._agenda, (max(at, self.now) + delay, serial, flow))

    @property
    def idle(self) -> bool:
        """Whether nothing is left on the agenda."""
        return not self._agenda

    @property
    def in_flight(self) -> bool:
        """Whether a flow is half way through its writes."""
        return bool(self._begun)

    # Writes

    def put(self, sk: str, **attributes: object) -> str:
        """Write an item of the account whole."""
        self.items[sk] = attributes
        self._wrote(sk)
        return sk

    def update(self, sk: str, **attributes: object) -> None:
        """Change some attributes of an item."""
        self.items[sk].update(attributes)
        self._wrote(sk)

    def mark(self, partition: str, event: str, ttl: str = "ttl_epoch") -> bool:
        """Leave a webhook's marker, before the event is processed; False when it is there."""
        if (partition, event) in self.markers:
            return False
        self.markers[partition, event] = {"ts": self.now, ttl: self.now + MARKER_DAYS * DAY}
        self.writes += 1
        return True

    def entry(self, kind: str, state: str, reason: str, amount: int, **rest: object) -> str:
        """Write a ledger entry; its sort key."""
        entry_id = f"{self.now}{self.rng.randint(0, 999):03d}_{self.rng.getrandbits(64):016x}"
        return self.put(
            f"LEDGER#{self.now}#{entry_id}",
            entry_id=entry_id,
            ts=self.now,
            type=kind,
            amount_cents=amount,
            state=state,
            reason=reason,
            **rest,
        )

    def state(self, sk: str) -> str:
        """An entry's state as it is now."""
        return str(self.items[sk]["state"])

    def amount(self, sk: str) -> int:
        """An entry's amount."""
        return int(str(self.items[sk]["amount_cents"]))

    def count(self, sk: str, step: Step, delta: Counters) -> Flow:
        """Move the counters for an entry, after creating BALANCE at zeros where there is none."""
        if "BALANCE" not in self.items:
            if self.slow_opening:
                self.slow_opening = False
                yield self.rng.choice((3, 40, 100))
            self._create_balance()
            yield 0
        times = 1
        if step is not Step.POST and self.chance(self.faults.lost):
            times = 0
        elif self.chance(self.faults.duplicate):
            times = 2
        for _ in range(times):
            self._move(sk, step, delta)
        yield self.pause()

    def _create_balance(self) -> None:
        """Write BALANCE at zeros without looking: what was counted before is lost."""
        for move in self.moves:
            move.alive = False
        zeros = {f"{counter}_cents": 0 for counter in COUNTERS}
        self.put("BALANCE", currency="usd", **zeros, updated_at=self.now)

    def _move(self, sk: str, step: Step, delta: Counters) -> None:
        balance = self.items["BALANCE"]
        for counter, value in zip(COUNTERS, delta.values(), strict=True):
            balance[f"{counter}_cents"] = int(str(balance[f"{counter}_cents"])) + value
        balance["updated_at"] = self.now
        self.moves.append(Move(sk, step, delta))
        self._wrote("BALANCE")

    def _wrote(self, sk: str) -> None:
        self.writes += 1
        self.on_write(sk)


def pending(amount: int) -> Counters:
    """A payment that waits."""
    return Counters(payments_pending=amount)


def settled(amount: int) -> Counters:
    """A payment that is done."""
    return Counters(payments_settled=amount)


def settle(world: World, sk: str) -> Flow:
    """Count a payment's settlement, then record it on the entry."""
    amount = world.amount(sk)
    yield from world.count(sk, Step.SETTLE, settled(amount) - pending(amount))
    world.update(sk, state="settled")
    yield world.pause()


def release(world: World, sk: str) -> Flow:
    """Count a payment's release, then record it on the entry."""
    yield from world.count(sk, Step.RELEASE, Counters() - pending(world.amount(sk)))
    world.update(sk, state="reversed")
    yield world.pause()


def adjust(world: World, reason: str, amount: int, **rest: object) -> Flow:
    """Write an adjustment and count it."""
    sk = world.entry("adjustment", "settled", reason, amount, **rest)
    yield world.pause()
    sign = -1 if reason == "dispute_funds_reinstated" else 1
    yield from world.count(sk, Step.POST, Counters(owed_settled=sign * amount))


def webhook_delay(world: World) -> int:
    """Seconds until a webhook comes, once in a while many hours."""
    if world.chance(world.faults.reorder):
        return world.rng.randint(30_000, 90_000)
    return world.rng.randint(60, 3_000)
