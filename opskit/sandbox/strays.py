"""Webhooks that found no account: most move no money, some are payments nobody was given."""

from random import Random

from opskit.sandbox.account import DAY, digest
from opskit.sandbox.faults import Planted, PlantedFault
from opskit.sandbox.items import Item, item
from opskit.tables.items import Layout

QUIET = (
    ("PAYPAL_WEBHOOK_UNMATCHED", "BILLING.SUBSCRIPTION.UPDATED", 4),
    ("PAYPAL_WEBHOOK_OTHER", "CUSTOMER.DISPUTE.CREATED", 3),
    ("CCBILL_WEBHOOK_UNMATCHED", "BillingDateChange", 3),
    ("CCBILL_WEBHOOK_OTHER", "UserReactivation", 2),
)
"""Partition, event and how many: events that need nothing from anybody."""

MONEY = (
    ("PAYPAL_WEBHOOK_UNMATCHED", "PAYMENT.CAPTURE.COMPLETED", 2),
    ("CCBILL_WEBHOOK_UNMATCHED", "NewSaleSuccess", 1),
)
"""Events of payments whose user the service could not tell."""


def quiet_events(rng: Random, layout: Layout, now: int) -> list[Item]:
    """Events that matched no user or have no handler, and move no money."""
    return _events(QUIET, rng, layout, now)


def lost_payments(rng: Random, layout: Layout, now: int) -> tuple[list[Item], Planted]:
    """Events of payments that no account got, each with the finding it must raise."""
    events = _events(MONEY, rng, layout, now)
    text = "a payment arrived and no account got it"
    check = "webhooks.unmatched_resolved"
    keys = [(str(held[layout.value]["S"]), str(held["sk"]["S"])) for held in events]
    return events, tuple(PlantedFault(check, *key, text) for key in keys)


def _events(
    kinds: tuple[tuple[str, str, int], ...], rng: Random, layout: Layout, now: int
) -> list[Item]:
    return [
        _event(rng, {layout.value: partition}, event, now - rng.randint(DAY, 90 * DAY))
        for partition, event, count in kinds
        for _ in range(count)
    ]


def _event(rng: Random, partition: dict[str, str], event: str, received: int) -> Item:
    reference = f"STRAY{rng.randint(0, 10**9):09d}"
    body: dict[str, object]
    if "CCBILL" in "".join(partition.values()):
        body = {"payload": {"transactionId": reference}, "q": {"eventType": event}}
    else:
        body = {"event": {"event_type": event, "resource": {"id": reference}}}
    keys = {**partition, "sk": f"{received}#{digest(partition, received, reference)}"}
    return item(**keys, eventType=event, created_at=received, **body)
