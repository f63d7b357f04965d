"""Stripe: the charge comes first, then entry, counters and payment; webhooks do the rest."""

from functools import partial

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
    _follow(world, intent, done=done)
    meta = {"idempotency_key": f"purchase:{world.user}:{amount}:{world.now // 30}"}
    state = "settled" if done else "pending"
    ids = {"stripe_payment_intent_id": intent, "meta": meta}
    sk = world.entry("credit", state, "charge_once", amount, **ids)
    yield world.pause()
    yield from world.count(sk, Step.POST, settled(amount) if done else pending(amount))
    _payment(world, intent, status, sk)
    yield 0


def _first_status(world: World) -> str:
    if world.rng.random() < 0.4:
        return "succeeded"
    if world.chance(world.faults.late):
        return world.rng.choice(("requires_confirmation", "requires_payment_method"))
    return world.rng.choice(_COUNTED)


def _follow(world: World, intent: str, *, done: bool) -> None:
    """Have the intent's webhooks come: processing, then the end of it, then maybe a dispute.

    They come whether or not the service lives to write what it charged.
    """
    fate = "succeeded" if done or world.rng.random() < 0.6 else "failed"
    if not done and world.chance(world.faults.unheard):
        return
    if not done and world.rng.random() < 0.2:
        begun = partial(_processing, world, intent, world.reference("evt_"))
        world.deliver(begun, after=webhook_delay(world) // 2)
    after = webhook_delay(world)
    world.deliver(partial(_ended, world, intent, fate, world.reference("evt_")), after=after)
    if fate == "succeeded" and world.rng.random() < 0.25:
        _have_disputed(world, intent, after + 200_000)


def _have_disputed(world: World, intent: str, after: int) -> None:
    """Have the bank take the money back, and give it back when the dispute is won."""
    dispute = world.reference("dp_")
    outcomes = ["withdrawn", *(["reinstated"] if world.rng.random() < 0.5 else [])]
    for number, outcome in enumerate(outcomes):
        webhook = partial(_dispute, world, intent, outcome, (world.reference("evt_"), dispute))
        world.deliver(webhook, after=after + 100_000 * number + webhook_delay(world))


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


def _processing(world: World, intent: str, event: str) -> Flow:
    """The bank has taken it up: only the payment is told."""
    if not world.mark(_MARKERS, event):
        return
    yield world.pause()
    payment = world.items.get(f"PAY#{intent}", {})
    if payment.get("status") in _COUNTED:
        world.update(f"PAY#{intent}", status="processing", updated_at=world.now)
        yield 0


def _ended(world: World, intent: str, fate: str, event: str) -> Flow:
    """Success or failure: the counters move only if the payment was waiting in a known way."""
    if not world.mark(_MARKERS, event):
        return
    yield world.pause()
    payment = world.items.get(f"PAY#{intent}")
    if payment is None:
        return
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


def _dispute(world: World, intent: str, outcome: str, ids: tuple[str, str]) -> Flow:
    """The bank takes a payment's money back, or gives it back; `ids` of the event and dispute."""
    event, dispute = ids
    if not world.mark(_MARKERS, event):
        return
    yield world.pause()
    payment = world.items.get(f"PAY#{intent}")
    if payment is None:
        return
    linked = {
        "stripe_payment_intent_id": intent,
        "stripe_charge_id": intent.replace("pi_", "ch_"),
        "meta": {"currency": "usd", "dispute_id": dispute},
    }
    amount = int(str(payment["amount_cents"]))
    yield from adjust(world, f"dispute_funds_{outcome}", amount, **linked)
