"""One sample account while it is being written, as the service would write it."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from opskit.ledger.counters import Counters
from opskit.sandbox.items import Item, item
from opskit.tables.items import USER_PREFIX, Layout

DAY = 86_400
MARKER_DAYS = 7


class Processor(StrEnum):
    """The payment processor an account pays through, by its two letters in user ids."""

    STRIPE = "st"
    PAYPAL = "pp"
    CCBILL = "cc"


@dataclass(frozen=True, slots=True)
class Draft:
    """What an account's writing starts from; `number` is its place among the accounts."""

    number: int
    processor: Processor
    layout: Layout
    currency: str
    as_of: int


@dataclass(slots=True)
class Purchase:
    """A settled credit that something can still happen to."""

    sk: str
    amount: int
    reference: str
    payment_sk: str = ""


@dataclass(slots=True)
class AccountBook:
    """The items of one account so far, its clock, and what its counters must be.

    `counters` are the posting rules' sum; `drift` is what the stored BALANCE is off by, None
    when there is to be no BALANCE.
    """

    draft: Draft
    rng: Random
    clock: int
    items: dict[str, Item] = field(default_factory=dict)
    markers: list[Item] = field(default_factory=list)
    counters: Counters = field(default_factory=Counters)
    drift: Counters | None = field(default_factory=Counters)
    purchases: list[Purchase] = field(default_factory=list)
    debits: list[Purchase] = field(default_factory=list)
    serial: int = 0
    subscription: str = ""

    @property
    def user(self) -> str:
        """The service's user id."""
        return f"{self.draft.processor}-{self.draft.number:04d}"

    @property
    def account(self) -> str:
        """The partition key value."""
        return f"{USER_PREFIX}{self.user}" if self.draft.layout is Layout.PK else self.user

    def reference(self, prefix: str) -> str:
        """A new processor id, never given twice in the books."""
        self.serial += 1
        return f"{prefix}{self.draft.number:06d}{self.serial:04d}"

    def wait(self, low: int, high: int) -> None:
        """Let between `low` and `high` seconds pass."""
        self.clock += self.rng.randint(low, high)

    def price(self) -> int:
        """An amount a user might owe or pay, in minor units."""
        return self.rng.randint(2, 249) * 100 + self.rng.choice((0, 49, 50, 95, 99))

    def put(self, sk: str, **attributes: object) -> str:
        """Write one item of the account and return its sort key."""
        keys = {self.draft.layout.value: self.account, "sk": sk}
        self.items[sk] = item(**keys, **attributes)
        return sk

    def post(self, kind: str, state: str, reason: str, amount: int, **rest: object) -> str:
        """Write one ledger entry, move the counters as the rules say, return the sort key."""
        entry_id = f"{self.clock}{self.rng.randint(0, 999):03d}_{self.rng.getrandbits(64):016x}"
        self.counters += effect(kind, state, reason, amount)
        return self.put(
            f"LEDGER#{self.clock}#{entry_id}",
            entry_id=entry_id,
            ts=self.clock,
            type=kind,
            amount_cents=amount,
            state=state,
            reason=reason,
            **rest,
        )

    def mark(self, partition: str, event: str, ttl: str = "ttl_epoch") -> None:
        """Leave the marker of one webhook; what its TTL has deleted by now is not written.

        CCBill's markers name another attribute than the table's TTL and so are never deleted.
        """
        expires = self.clock + MARKER_DAYS * DAY
        if expires <= self.draft.as_of + DAY and ttl != "ttl":
            return
        keys = {self.draft.layout.value: partition, "sk": event}
        self.markers.append(item(**keys, ts=self.clock, **{ttl: expires}))

    def idempotency_key(self, action: str, token: str, amount: int) -> str:
        """The service's default key, which embeds a bucket of 30 seconds."""
        return f"{action}:{self.user}:{token}:{amount}:{self.clock // 30}"


def effect(kind: str, state: str, reason: str, amount: int) -> Counters:
    """What one entry does to the counters; adjustments are settled ones of a known reason."""
    if state == "reversed":
        return Counters()
    if kind == "adjustment":
        sign = -1 if reason == "dispute_funds_reinstated" else 1
        return Counters(owed_settled=sign * amount)
    side = "owed" if kind == "debit" else "payments"
    return Counters.of({f"{side}_{state}": amount})


def dice(*parts: object) -> Random:
    """The chances of one part of the books: the same parts always fall the same way."""
    return Random("/".join(map(str, parts)))  # noqa: S311  (sample data, nothing secret)


def digest(*parts: object) -> str:
    """A SHA-256 in hex, as the service names webhooks by their body."""
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()
