"""Sample books: deterministic content for the nine tables, with faults that are known."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random

from opskit.sandbox import ccbill, paypal, stripe
from opskit.sandbox.account import DAY, AccountBook, Draft, Processor, Purchase, dice
from opskit.sandbox.faults import PlantedFault, plant_faults
from opskit.sandbox.items import COUNTER_ATTRIBUTES, Item
from opskit.sandbox.signin import signin_items
from opskit.sandbox.strays import lost_payments, quiet_events
from opskit.tables.items import Layout

Step = Callable[[AccountBook], None]

NEWCOMER_EVERY = 40
"""One account in so many has only just been opened: a BALANCE of zeros and no entries."""

QUIET_DAYS = 3
"""What a user started longer ago than this has come to its end; only then is it in flight."""


@dataclass(frozen=True, slots=True)
class Books:
    """Items by logical table, and the faults that are in them."""

    seed: int
    as_of: datetime
    layout: Layout
    items: Mapping[str, tuple[Item, ...]]
    faults: tuple[PlantedFault, ...]

    @property
    def name(self) -> str:
        """Which books these are, in words."""
        return f"seed {self.seed} as of {self.as_of:%Y-%m-%d}"

    @property
    def count(self) -> int:
        """How many items the books have over all tables."""
        return sum(len(items) for items in self.items.values())


@dataclass(frozen=True, slots=True)
class _Habits:
    """How accounts of one processor live: the steps and how often each is taken."""

    opening: Step
    in_flight: Step
    steps: Mapping[Step, float]


def use(book: AccountBook) -> None:
    """Owe for some usage."""
    amount = book.price()
    sk = book.post("debit", "settled", "usage", amount)
    book.debits.append(Purchase(sk, amount, ""))


def use_in_flight(book: AccountBook) -> None:
    """Owe for usage that is still being metered."""
    book.post("debit", "pending", "usage", book.price())


_HABITS: Mapping[Processor, _Habits] = {
    Processor.STRIPE: _Habits(
        stripe.open_stripe,
        stripe.purchase_in_flight,
        {
            use: 4,
            stripe.purchase: 5,
            stripe.pay_balance: 2,
            stripe.failed_purchase: 1.5,
            stripe.dispute: 1,
        },
    ),
    Processor.PAYPAL: _Habits(
        paypal.open_paypal,
        paypal.purchase_in_flight,
        {
            use: 4,
            paypal.purchase: 5,
            paypal.captured_by_webhook: 0.7,
            paypal.failed_purchase: 1,
            paypal.take_back: 1,
            paypal.subscribe: 1.5,
        },
    ),
    Processor.CCBILL: _Habits(
        ccbill.open_ccbill,
        ccbill.purchase_in_flight,
        {
            use: 4,
            ccbill.purchase: 3,
            ccbill.pay_balance: 1,
            ccbill.failed_purchase: 1,
            ccbill.subscribe: 3,
            ccbill.take_back: 1,
        },
    ),
}


def sample_books(
    seed: int,
    as_of: datetime,
    *,
    accounts: int = 200,
    layout: Layout = Layout.PK,
    faults: bool = True,
) -> Books:
    """The books of that seed: the same arguments always give the same items.

    Every time in them is relative to `as_of` and none is after it, except when things expire.
    """
    now = int(as_of.timestamp())
    books = [_account(seed, number, layout, now) for number in range(accounts)]
    planted = plant_faults(books, dice(seed, "faults")) if faults else ()
    billing = [*itertools.chain.from_iterable(_items(book) for book in books)]
    billing += quiet_events(dice(seed, "quiet events"), layout, now)
    if faults:
        lost, raised = lost_payments(dice(seed, "lost payments"), layout, now)
        billing, planted = billing + lost, planted + raised
    tables = {"billing": tuple(billing), **signin_items(seed, [b.user for b in books], now)}
    return Books(seed, as_of, layout, tables, planted)


def _account(seed: int, number: int, layout: Layout, now: int) -> AccountBook:
    """One account's life, from its opening to what is in flight at the end."""
    rng = dice(seed, number)
    processor = tuple(Processor)[number % len(Processor)]
    currency = rng.choices(("usd", "eur", "jpy"), (80, 15, 5))[0]
    opened = now - rng.randint(60, 330) * DAY - rng.randint(0, DAY)
    book = AccountBook(Draft(number, processor, layout, currency, now), rng, opened)
    habits = _HABITS[processor]
    habits.opening(book)
    if number % NEWCOMER_EVERY == NEWCOMER_EVERY - 1:
        return book
    for moment in _moments(rng, opened + DAY, now - QUIET_DAYS * DAY):
        book.clock = max(moment, book.clock + 60)
        rng.choices([*habits.steps], [*habits.steps.values()])[0](book)
    _lately(book, habits)
    return book


def _moments(rng: Random, start: int, end: int) -> list[int]:
    """When an account's steps happen: between five and seventeen times."""
    return sorted(rng.randint(start, end - DAY) for _ in range(rng.randint(5, 17)))


def _lately(book: AccountBook, habits: _Habits) -> None:
    """Have some of today's business still pending: a day is all that a card takes."""
    book.clock = max(book.clock, book.draft.as_of - DAY + 3_600)
    for step, chance in ((use_in_flight, 0.25), (habits.in_flight, 0.2)):
        if book.rng.random() < chance:
            book.wait(600, DAY // 3)
            step(book)


def _items(book: AccountBook) -> list[Item]:
    """An account's items with its BALANCE, and the markers its webhooks left."""
    if book.drift is not None:
        stored = (book.counters + book.drift).values()
        counters = dict(zip(COUNTER_ATTRIBUTES, stored, strict=True))
        currency = book.draft.currency
        book.put("BALANCE", currency=currency, **counters, updated_at=book.clock)
    return [*book.items.values(), *book.markers]
