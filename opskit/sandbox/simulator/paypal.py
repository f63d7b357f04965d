"""PayPal: entry and counters first, then the capture call and all again; its webhook may race."""

from collections.abc import Generator
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

_MARKERS = "PAYPAL_WEBHOOK"


def charge(world: World) -> Flow:
    """Order and capture in one call; the capture's webhook follows."""
    order, sk = yield from _ordered(world)
    fate = "COMPLETED" if world.rng.random() < 0.8 else "DECLINED"
    answered = world.call()
    _send_capture(world, order, sk, fate, answered)
    yield answered
    yield from (settle if fate == "COMPLETED" else release)(world, sk)
    status = "succeeded" if fate == "COMPLETED" else "failed"
    _payment(world, order, sk, status, {"capture": {"id": order, "status": fate}})
    yield 0


def _send_capture(world: World, order: str, sk: str, fate: str, answered: int) -> None:
    """Have the capture's webhook come, in a race before the call has done its writes."""
    raced = world.chance(world.faults.race)
    if fate != "COMPLETED":
        if raced:
            _deliver(world, order, sk, "DENIED", max(answered + world.rng.randint(-3, 1), 0))
        return
    after = answered + world.rng.randint(-3, 1) if raced else answered + webhook_delay(world)
    if raced or world.rng.random() < 0.6:
        _deliver(world, order, sk, "COMPLETED", max(after, 0))
    if world.rng.random() < 0.2:
        event = world.rng.choice(("REFUNDED", "REFUNDED", "DENIED", "DECLINED"))
        _deliver(world, order, sk, event, answered + 150_000 + webhook_delay(world))


def _deliver(world: World, order: str, sk: str, event: str, after: int) -> None:
    """Have a webhook come."""
    body = digest(world.account, world.reference("WH"))
    world.deliver(partial(_webhook, world, order, sk, (event, body)), after=after)


def approve_later(world: World) -> Flow:
    """Order, wait for the payer; only the webhook settles or releases it."""
    order, sk = yield from _ordered(world)
    yield world.call()
    _payment(world, order, sk, "pending", {"order": {"id": order, "status": "CREATED"}})
    if not world.chance(world.faults.unheard):
        fate = world.rng.choice(("COMPLETED", "COMPLETED", "DENIED"))
        _deliver(world, order, sk, fate, webhook_delay(world))
    yield 0


def captured_by_webhook(world: World) -> Flow:
    """A capture comes that no entry waits for."""
    body = digest(world.account, world.reference("WH"))
    world.deliver(partial(_captured, world, world.reference("CAP"), body))
    yield 0


def _captured(world: World, capture: str, body: str) -> Flow:
    """A capture is written settled, without a payment."""
    if not world.mark(_MARKERS, body):
        return
    yield world.pause()
    amount = world.price()
    ids = {"paypal_capture_id": capture, "paypal_order_id": capture.replace("CAP", "ORDER")}
    sk = world.entry("credit", "settled", "paypal_capture_webhook", amount, **ids)
    yield world.pause()
    yield from world.count(sk, Step.POST, settled(amount))


def subscription_charge(world: World) -> Flow:
    """A subscription is charged."""
    body = digest(world.account, world.reference("WH"))
    world.deliver(partial(_sold, world, world.reference("SALE"), body))
    yield 0


def _sold(world: World, sale: str, body: str) -> Flow:
    """A subscription's charge is written as a payment without an entry."""
    if not world.mark(_MARKERS, body):
        return
    yield world.pause()
    world.put(
        f"PAY#{sale}",
        external_id=sale,
        status="succeeded",
        amount_cents=1_499,
        currency="usd",
        kind="subscription_charge",
        payment_token_id=f"tok_{world.user}",
        subscription_id=f"I-{world.user}",
        raw={},
        created_at=world.now,
        updated_at=world.now,
    )
    yield 0


def _ordered(world: World) -> Generator[int, None, tuple[str, str]]:
    """Entry and counters; the order's id and the entry's sort key."""
    amount = world.price()
    key = f"order:{world.user}:{amount}:{world.now // 30}"
    meta = {"idempotency_key": key, "mode": "one_time"}
    ids = {"paypal_payment_token_id": f"tok_{world.user}", "meta": meta}
    sk = world.entry("credit", "pending", "charge_once", amount, **ids)
    yield world.pause()
    yield from world.count(sk, Step.POST, pending(amount))
    return world.reference("ORDER"), sk


def _payment(world: World, order: str, sk: str, status: str, raw: dict[str, object]) -> None:
    held = world.items.get(f"PAY#{order}", {})
    world.put(
        f"PAY#{order}",
        external_id=order,
        status=status,
        amount_cents=world.amount(sk),
        currency="usd",
        kind="one_time",
        ledger_sk=sk,
        payment_token_id=f"tok_{world.user}",
        subscription_id=None,
        raw=raw,
        created_at=held.get("created_at", world.now),
        updated_at=world.now,
    )


def _webhook(world: World, order: str, sk: str, event: tuple[str, str]) -> Flow:
    """A capture's event: it settles or releases a pending entry, or adjusts for a settled one."""
    what, body = event
    if not world.mark(_MARKERS, body):
        return
    yield world.pause()
    raw: dict[str, object] = {"event": _event(world, order, sk, what)}
    if what == "COMPLETED":
        if world.state(sk) == "pending":
            yield from settle(world, sk)
        _payment(world, order, sk, "succeeded", raw)
    elif what == "DENIED" and world.state(sk) == "pending":
        yield from release(world, sk)
        _payment(world, order, sk, "failed", raw)
    else:
        ids = {"paypal_capture_id": order.replace("ORDER", "CAP"), "meta": raw}
        yield from adjust(world, f"payment.capture.{what.lower()}", world.amount(sk), **ids)
    yield 0


def _event(world: World, order: str, sk: str, what: str) -> dict[str, object]:
    value = major_units(world.amount(sk), "usd")
    resource = {
        "amount": {"currency_code": "USD", "value": value},
        "custom_id": f"{world.user}|{sk}",
        "id": order.replace("ORDER", "CAP"),
        "supplementary_data": {"related_ids": {"order_id": order}},
    }
    return {"event_type": f"PAYMENT.CAPTURE.{what}", "n": world.serial, "resource": resource}
