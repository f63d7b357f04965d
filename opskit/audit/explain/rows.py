"""The rows that bear on one drifted account, as values."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from enum import Enum

from opskit.ledger.counters import Counters

FIRST_WRITES_WINDOW = 120
"""Seconds from an account's first entry in which first writes of BALANCE can race."""


class Rail(Enum):
    """The processor that an entry or a payment belongs to, by its webhooks' partition."""

    STRIPE = "STRIPE_EVENT"
    PAYPAL = "PAYPAL_WEBHOOK"
    CCBILL = "CCBILL_WEBHOOK"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A ledger entry with its effect on the counters; `ts` in epoch seconds."""

    sk: str
    ts: int
    type: str
    state: str
    reason: str
    amount: int
    effect: Counters
    rail: Rail = Rail.NONE


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment record; `by_webhook` when a webhook's payload is what it holds."""

    sk: str
    status: str
    ledger_sk: str
    updated_at: int | None
    by_webhook: bool = False


@dataclass(frozen=True, slots=True)
class WebhookTimes:
    """When webhooks of one rail were taken in, oldest first, from the markers that are left."""

    times: tuple[int, ...] = ()

    def any_within(self, start: int, end: int) -> bool | None:
        """Whether one came in [start, end]; None where markers that old are gone."""
        if not self.times or start < self.times[0]:
            return None
        return bisect_right(self.times, end) > bisect_left(self.times, start)


@dataclass(frozen=True, slots=True)
class AccountBooks:
    """What the books hold of one account: entries oldest first, payments, BALANCE's last write."""

    account: str
    entries: tuple[Entry, ...]
    payments: tuple[Payment, ...] = ()
    balance_updated_at: int | None = None
    webhooks: dict[Rail, WebhookTimes] | None = None

    def webhooks_of(self, rail: Rail) -> WebhookTimes:
        """The webhook times of a rail, none when not known."""
        return (self.webhooks or {}).get(rail, WebhookTimes())
