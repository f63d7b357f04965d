"""Stripe: the charge comes first, then entry, counters and payment; webhooks do the rest."""

from opskit.sandbox.simulator.world import (
    Flow,
    Step,
    World,
    adjust,
    pending,
    release,
    settle,
    settled,
    webhook_delay,
)

_MARKERS = "STRIPE_EVENT"
_COUNTED = ("processing", "requires_action")
"""First statuses after which a later success or failure moves the counters."""


def charge(world: World) -> Flow:
    """Charge the card; half of the charges succeed at once."""
    intent, amount = world.reference("pi_"), world.price()
    yield world.call()
    status = _first_status(world)
    done = status == "succeeded"
    meta = {"idempotency_key": f"purchase:{world.user}:{amount}:{world.now // 30}"}
    state = "settled" if done else "pending"
    ids = {"stripe_payment_intent_id": intent, "meta": meta}
    sk = world.entry("credit", state, "charge_once", amount, **ids)
    yield world.pause()
    yield from world.count(sk, Step.POST, settled(amount) if done else pending(amount))
    _payment(world, intent, status, sk)
    _follow(world, intent, done=done)
    yield 0


def _first_status(world: World) -> str:
    if world.rng.random() < 0.4:
        return "succeeded"
    if world.chance(world.faults.late):
        return world.rng.choice(("requires_confirmation", "requires_payment_method"))
    return world.rng.choice(_COUNTED)


def _follow(world: World, intent: str, *, done: bool) -> None:
    """Have the intent's webhooks come: processing, then the end of it, then maybe a dispute."""
    fate = "succeeded" if done or world.rng.random() < 0.6 else "failed"
    if not done and world.chance(world.faults.unheard):
        return
    if not done and world.rng.random() < 0.2:
        world.start(_processing(world, intent), after=webhook_delay(world) // 2)
    event, after = world.reference("evt_"), webhook_delay(world)
    for repeat in range(2 if world.chance(world.faults.reorder) else 1):
        world.start(_ended(world, intent, fate, event), after=after + 5 * repeat)
    if fate == "succeeded" and world.rng.random() < 0.25:
        world.start(_withdrawn(world, intent), after=after + webhook_delay(world) + 200_000)


def _payment(world: World, intent: str, status: str, sk: str) -> None:
    world.put(
        f"PAY#{intent}",
        payment_intent_id=intent,
        status=status,
        amount_cents=world.amount(sk),
        currency="usd",
        ledger_sk=sk,
        customer_id=f"cus_{world.user}",
        payment_method_id=f"pm_{world.user}",
        payment_method_type="card",
        purchase_txn_id=f"{world.rng.getrandbits(128):032x}",
        created_at=world.now,
        updated_at=world.now,
    )


def _processing(world: World, intent: str) -> Flow:
    """The bank has taken it up: only the payment is told."""
    if world.mark(_MARKERS, world.reference("evt_")):
        yield world.pause()
        payment = world.items[f"PAY#{intent}"]
        if payment["status"] in _COUNTED:
            world.update(f"PAY#{intent}", status="processing", updated_at=world.now)
            yield 0


def _ended(world: World, intent: str, fate: str, event: str) -> Flow:
    """Success or failure: the counters move only if the payment was waiting in a known way."""
    if not world.mark(_MARKERS, event):
        return
    yield world.pause()
    payment = world.items[f"PAY#{intent}"]
    sk = str(payment["ledger_sk"])
    if world.state(sk) == "pending" and payment["status"] in _COUNTED:
        yield from (settle if fate == "succeeded" else release)(world, sk)
    elif world.state(sk) == "pending":
        world.update(sk, state="settled" if fate == "succeeded" else "reversed")
        yield world.pause()
    ended = "succeeded" if fate == "succeeded" else world.rng.choice(_FAILURES)
    world.update(f"PAY#{intent}", status=ended, updated_at=world.now)
    yield 0


_FAILURES = ("payment_failed", "requires_payment_method", "canceled")


def _withdrawn(world: World, intent: str) -> Flow:
    """The bank takes the money back, and gives it back when the dispute is won."""
    dispute = world.reference("dp_")
    if world.rng.random() < 0.5:
        world.start(_dispute(world, intent, dispute, "reinstated"), after=100_000)
    yield from _dispute(world, intent, dispute, "withdrawn")


def _dispute(world: World, intent: str, dispute: str, outcome: str) -> Flow:
    world.mark(_MARKERS, world.reference("evt_"))
    yield world.pause()
    ids = {
        "stripe_payment_intent_id": intent,
        "stripe_charge_id": intent.replace("pi_", "ch_"),
        "meta": {"currency": "usd", "dispute_id": dispute},
    }
    amount = int(str(world.items[f"PAY#{intent}"]["amount_cents"]))
    yield from adjust(world, f"dispute_funds_{outcome}", amount, **ids)
