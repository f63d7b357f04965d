"""Each fault at each place it can strike, one at a time, in every flow of every processor.

Where the soak leaves it to chance, this goes through all of them: what a single fault leaves behind
must be found, named and listed without exception.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from opskit.sandbox.account import DAY, Processor, dice
from opskit.sandbox.simulator import AS_OF, FaultRates, Flow, History, World, faults_of, history_of
from opskit.sandbox.simulator.history import FLOWS
from opskit.sandbox.simulator.judge import Score, audit_histories

Maker = Callable[[World], Flow]

KINDS = tuple(field.name for field in fields(FaultRates) if field.name != "reset")
RATES = FaultRates(**{kind: number / 100 for number, kind in enumerate(KINDS, start=1)})
"""Rates that tell the kinds apart, in a world that asks no dice about them."""

START = int(AS_OF.timestamp()) - 60 * DAY
LIVES = 20
"""Each flow is run so often, with other dice: approved and declined, with and without webhooks."""


@dataclass
class StruckWorld(World):
    """A world in which one kind of fault strikes once: the `strike`-th time that it might."""

    kind: str = ""
    strike: int = 0
    asked: int = 0
    struck_after: int | None = None

    def chance(self, rate: float) -> bool:
        """Whether this is the one time."""
        if rate != getattr(RATES, self.kind):
            return False
        self.asked += 1
        if self.asked == self.strike:
            self.struck_after = self.writes
        return self.asked == self.strike


def struck(number: int, maker: Maker, life: int, kind: str, strike: int) -> StruckWorld:
    """A world whose one flow was struck, run to its end."""
    processor = next(known for known, flows in FLOWS.items() if maker in flows)
    rng = dice("struck", processor, maker.__name__, life)
    world = StruckWorld(rng, number, processor, RATES, START, kind=kind, strike=strike)
    world.start(maker(world))
    world.run()
    return world


def every_strike(kind: str) -> Iterator[StruckWorld]:
    """Every world in which a fault of the kind strikes, each at another place."""
    number = 0
    for maker in dict.fromkeys(maker for flows in FLOWS.values() for maker in flows):
        for life in range(LIVES):
            strike = 0
            while True:
                strike, number = strike + 1, number + 1
                world = struck(number, maker, life, kind, strike)
                if world.struck_after is None:
                    break
                yield world


@pytest.fixture(scope="module", params=KINDS)
def strikes(request: pytest.FixtureRequest) -> tuple[str, list[StruckWorld]]:
    """A kind of fault, and every world that it strikes."""
    return request.param, list(every_strike(request.param))


def test_what_one_fault_leaves_is_found_named_and_listed(
    strikes: tuple[str, list[StruckWorld]], tmp_path: Path
) -> None:
    """No place of any flow is left where one fault is missed, misread or not listed."""
    _, worlds = strikes
    histories: list[History] = [history_of(world) for world in worlds]
    score: Score = audit_histories(histories, tmp_path, AS_OF)
    assert score.missed == ()
    assert score.invented == ()
    assert score.misread == ()
    assert score.unlisted == ()


def test_a_fault_strikes_every_processor_that_it_can(
    strikes: tuple[str, list[StruckWorld]],
) -> None:
    """Kinds that belong to one processor strike it alone, all others strike all three."""
    kind, worlds = strikes
    assert {world.processor for world in worlds} == _ONLY.get(kind, set(Processor))


_ONLY = {
    "race": {Processor.PAYPAL},
    "late": {Processor.STRIPE},
    "amountless": {Processor.CCBILL},
    "unheard": {Processor.STRIPE, Processor.PAYPAL},
}


def test_a_fault_leads_to_the_same_classes_with_every_processor(
    strikes: tuple[str, list[StruckWorld]],
) -> None:
    """First postings, settlements, releases and adjustments are struck, wherever there are any."""
    kind, worlds = strikes
    found: dict[Processor, set[str]] = {world.processor: set() for world in worlds}
    for world in worlds:
        found[world.processor] |= {fault.fault_class for fault in faults_of(world)}
    for processor, classes in found.items():
        assert classes >= _CLASSES.get(kind, set()), processor
        assert not classes or kind in _CLASSES


_CLASSES = {
    "crash": {"entry_not_posted", "adjustment_not_posted", "state_not_recorded"},
    "duplicate": {"posted_twice", "settled_twice", "released_twice", "adjustment_posted_twice"},
    "lost": {"settle_not_posted", "release_not_posted"},
    "race": {"settled_twice", "released_twice"},
    "late": {"settle_not_posted", "release_not_posted"},
}


def test_a_crash_strikes_after_every_write_of_every_flow() -> None:
    """Whatever a flow and its webhooks write, each write can be the last of its flow."""
    for maker in dict.fromkeys(maker for flows in FLOWS.values() for maker in flows):
        for life in range(LIVES):
            whole = struck(1, maker, life, "crash", strike=0)
            places = {struck(1, maker, life, "crash", n).struck_after for n in range(1, 99)}
            assert places >= set(range(1, whole.writes + 1)), (maker, life)


def test_every_write_to_the_counters_may_be_made_twice() -> None:
    """As many duplicates can strike a flow as it moves the counters, settlements among them."""
    for maker in dict.fromkeys(maker for flows in FLOWS.values() for maker in flows):
        for life in range(LIVES):
            whole = struck(1, maker, life, "duplicate", strike=0)
            assert whole.asked == len(whole.moves), (maker, life)
