"""CCBill: entry and counters first, then the call and all again; rebills come by webhook."""

from functools import partial

from opskit.sandbox.account import digest
from opskit.sandbox.items import major_units
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

_MARKERS = "CCBILL_WEBHOOK"
MONTHLY = 999


def charge(world: World) -> Flow:
    """Charge the token once."""
    yield from _charged(world, "charge_once", world.price())


def sign_up(world: World) -> Flow:
    """Start a subscription; it is rebilled by webhooks until it ends."""
    subscription = world.reference("sub")
    for month in range(world.rng.randint(0, 3)):
        after = (month + 1) * 250_000 + webhook_delay(world)
        world.deliver(partial(_rebilled, world, subscription, world.reference("cc")), after=after)
    yield from _charged(world, "subscription_signup", MONTHLY, subscription=subscription)


def _charged(world: World, reason: str, amount: int, subscription: str | None = None) -> Flow:
    sk = _entry(world, reason, amount)
    yield world.pause()
    yield from world.count(sk, Step.POST, pending(amount))
    yield world.call()
    transaction = world.reference("cc")
    approved = world.rng.random() < 0.8
    yield from (settle if approved else release)(world, sk)
    status = "succeeded" if approved else "failed"
    raw = {"approved": approved, "subscriptionId": subscription, "transactionId": transaction}
    kind = "one_time" if subscription is None else reason
    token = f"t_{world.user}"
    ids = {"subscription_id": subscription, "payment_token_id": token, "raw": raw}
    _payment(world, transaction, sk, status, kind=kind, **ids)
    yield world.pause()
    if subscription and approved:
        _subscription(world, subscription, transaction)
        yield 0
    if approved and world.rng.random() < 0.25:
        what = world.rng.choice(("Chargeback", "Refund", "Void", "Return"))
        after = world.rng.randint(9_000, 99_999) + webhook_delay(world)
        world.deliver(partial(_taken_back, world, what, transaction, amount), after=after)


def _entry(world: World, reason: str, amount: int) -> str:
    key = f"{reason.replace('_', '')}:{world.user}:{amount}:{world.now // 30}"
    signup = reason == "subscription_signup"
    mode = {"mode": "subscription", "plan_id": "monthly"} if signup else {"mode": "one_time"}
    ids = {"ccbill_payment_token_id": f"t_{world.user}", "meta": {"idempotency_key": key, **mode}}
    return world.entry("credit", "pending", reason, amount, **ids)


def _payment(world: World, transaction: str, sk: str, status: str, **rest: object) -> None:
    world.put(
        f"PAY#{transaction}",
        transaction_id=transaction,
        status=status,
        amount_cents=world.amount(sk),
        currency="usd",
        ledger_sk=sk,
        created_at=world.now,
        updated_at=world.now,
        **rest,
    )


def _subscription(world: World, subscription: str, transaction: str) -> None:
    held = world.items.get(f"SUB#{subscription}", {})
    world.put(
        f"SUB#{subscription}",
        subscription_id=subscription,
        status="active",
        plan_id="monthly",
        payment_token_id=f"t_{world.user}",
        last_transaction_id=transaction,
        created_at=held.get("created_at", world.now),
        updated_at=world.now,
        raw={"approved": True, "subscriptionId": subscription, "transactionId": transaction},
    )


def _event(world: World, what: str, transaction: str, amount: int) -> dict[str, object]:
    payload = {
        "X-app_user_id": world.user,
        "billedAmount": major_units(amount, "usd"),
        "transactionId": transaction,
    }
    return {"eventType": what, "payload": payload, "q": {"eventType": what}}


def _rebilled(world: World, subscription: str, transaction: str) -> Flow:
    """A renewal: entry settled at once, counters, payment, subscription."""
    known = f"SUB#{subscription}" in world.items
    if not known or not world.mark(_MARKERS, digest(world.account, transaction), ttl="ttl"):
        return
    yield world.pause()
    raw = _event(world, "RenewalSuccess", transaction, MONTHLY)
    ids = {"ccbill_transaction_id": transaction, "ccbill_subscription_id": subscription}
    reason = "subscription_rebill"
    sk = world.entry("credit", "settled", reason, MONTHLY, meta=raw, **ids)
    yield world.pause()
    yield from world.count(sk, Step.POST, settled(MONTHLY))
    linked = {"subscription_id": subscription, "payment_token_id": None, "raw": raw}
    _payment(world, transaction, sk, "succeeded", kind=reason, **linked)
    yield world.pause()
    _subscription(world, subscription, transaction)
    yield 0


def _taken_back(world: World, what: str, transaction: str, amount: int) -> Flow:
    """A chargeback, refund, void or return; without its amount it is of zero."""
    if not world.mark(_MARKERS, digest(world.account, transaction, what), ttl="ttl"):
        return
    taken = 0 if world.chance(world.faults.amountless) else amount
    yield world.pause()
    meta = _event(world, what, transaction, taken)
    ids = {"ccbill_transaction_id": transaction, "meta": meta}
    yield from adjust(world, what.lower(), taken, **ids)
