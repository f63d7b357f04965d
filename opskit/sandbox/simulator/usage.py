"""Usage debits: counted when written, settled later or at once."""

from opskit.ledger.counters import Counters
from opskit.sandbox.simulator.world import Flow, Step, World


def use(world: World) -> Flow:
    """Owe for usage that is already final."""
    amount = world.price()
    sk = world.entry("debit", "settled", "usage", amount)
    yield world.pause()
    yield from world.count(sk, Step.POST, Counters(owed_settled=amount))


def meter(world: World) -> Flow:
    """Owe for usage that is still being metered, and in most cases settle it a day later."""
    amount = world.price()
    sk = world.entry("debit", "pending", "usage", amount)
    yield world.pause()
    yield from world.count(sk, Step.POST, Counters(owed_pending=amount))
    if world.rng.random() < 0.7:
        world.start(_settle_usage(world, sk, amount), after=world.rng.randint(3_600, 90_000))


def _settle_usage(world: World, sk: str, amount: int) -> Flow:
    delta = Counters(owed_pending=-amount, owed_settled=amount)
    yield from world.count(sk, Step.SETTLE, delta)
    world.update(sk, state="settled")
    yield 0
