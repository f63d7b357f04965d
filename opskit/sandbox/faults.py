"""Faults planted in healthy books, each naming exactly the finding it must raise."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from opskit.ledger.counters import Counters
from opskit.sandbox.account import AccountBook, Processor, Purchase
from opskit.sandbox.items import Item, attribute

BALANCE = "BALANCE"
DRIFT = "balances.stored_equals_entries"


@dataclass(frozen=True, slots=True)
class PlantedFault:
    """One finding an audit of the books must have: its check, account and key.

    `evidence` holds, for a drift, the differences under `drift` as the audit reports them.
    """

    check: str
    account: str
    key: str
    text: str
    evidence: Mapping[str, object] = field(default_factory=dict)


Planted = tuple[PlantedFault, ...]
Planter = Callable[[AccountBook], Planted]
"""Spoils an account and says what that raises; `()` when the account does not lend itself."""


def plant_faults(books: Sequence[AccountBook], rng: Random) -> Planted:
    """Plant every recipe in accounts of its own."""
    free = [*books]
    rng.shuffle(free)
    planted: list[PlantedFault] = []
    for planter, times in RECIPES:
        for _ in range(times):
            planted += _plant_once(planter, free)
    return tuple(sorted(planted, key=lambda fault: (fault.check, fault.account, fault.key)))


def _plant_once(planter: Planter, free: list[AccountBook]) -> Planted:
    """Spoil the first account that lends itself, and take it out of the free ones."""
    for place, book in enumerate(free):
        raised = planter(book)
        if raised:
            del free[place]
            return raised
    return ()


def _drifted(book: AccountBook, drift: Counters, text: str) -> Planted:
    """Let the stored counters be off; a counter below zero is a finding of its own."""
    book.drift = drift
    evidence = {"drift": drift.nonzero()}
    raised = [PlantedFault(DRIFT, book.account, BALANCE, text, evidence)]
    negative = {n: v for n, v in (book.counters + drift).nonzero().items() if v < 0}
    if negative:
        below = {"negative": negative}
        raised.append(PlantedFault("balances.possible", book.account, BALANCE, text, below))
    return tuple(raised)


def _settled_purchase(book: AccountBook) -> Purchase | None:
    return next((bought for bought in book.purchases if bought.payment_sk), None)


def settled_twice(book: AccountBook) -> Planted:
    """PayPal's capture call and its webhook both settle one entry."""
    bought = _settled_purchase(book)
    if bought is None or book.draft.processor is not Processor.PAYPAL:
        return ()
    drift = Counters(payments_pending=-bought.amount, payments_settled=bought.amount)
    return _drifted(book, drift, "a capture and its webhook both settled one entry")


def settlement_lost(book: AccountBook) -> Planted:
    """The entry settles, the counters never hear of it."""
    bought = _settled_purchase(book)
    if bought is None:
        return ()
    drift = Counters(payments_pending=bought.amount, payments_settled=-bought.amount)
    return _drifted(book, drift, "a settlement never reached the counters")


def release_lost(book: AccountBook) -> Planted:
    """The entry is reversed, its amount stays pending in the counters."""
    amounts = [_amount(entry) for entry in _entries(book, "credit", "reversed")]
    if not amounts:
        return ()
    drift = Counters(payments_pending=amounts[0])
    return _drifted(book, drift, "a reversed payment was never released from the counters")


def adjustment_missed(book: AccountBook) -> Planted:
    """The adjustment is written, the counters are not moved."""
    amount = _adjusted(book)
    drift = Counters(owed_settled=-amount)
    return _drifted(book, drift, "an adjustment never reached the counters") if amount else ()


def counters_reset(book: AccountBook) -> Planted:
    """A second first write puts the whole BALANCE back to zeros."""
    if not book.counters.nonzero():
        return ()
    return _drifted(book, Counters() - book.counters, "BALANCE was created again, at zeros")


def several_at_once(book: AccountBook) -> Planted:
    """A lost settlement, a missed adjustment and a debit counted twice, in one account."""
    bought, amount = _settled_purchase(book), _adjusted(book)
    if not bought or not amount or not book.debits:
        return ()
    owed = book.debits[0].amount - amount
    drift = Counters(0, owed, bought.amount, -bought.amount)
    return _drifted(book, drift, "a settlement and an adjustment lost, a debit counted twice")


def released_twice(book: AccountBook) -> Planted:
    """A refused payment is released twice: its pending counter goes below zero."""
    amounts = [_amount(entry) for entry in _entries(book, "credit", "reversed")]
    if not amounts or book.counters.payments_pending:
        return ()
    return _drifted(book, Counters(payments_pending=-amounts[0]), "a payment was released twice")


def balance_lost(book: AccountBook) -> Planted:
    """The account's entries move money and there is no BALANCE: it reads as zeros."""
    if not book.counters.nonzero():
        return ()
    text = "the account's BALANCE is gone"
    (drift,) = _drifted(book, Counters() - book.counters, text)
    book.drift = None
    return (drift, PlantedFault("balances.present", book.account, BALANCE, text))


def entries_lost(book: AccountBook) -> Planted:
    """A BALANCE says something is owed, no entry says why."""
    if any(sk.startswith("LEDGER#") for sk in book.items):
        return ()
    text = "the BALANCE is not zero and there is no entry"
    drift = _drifted(book, Counters(owed_settled=book.price()), text)
    return (*drift, PlantedFault("balances.present", book.account, BALANCE, text))


def _malformed(book: AccountBook, text: str, spoil: Callable[[Item], object]) -> Planted:
    """Spoil a usage debit: its account's balance cannot be judged, so it has no drift."""
    if not book.debits:
        return ()
    sk = book.debits[-1].sk
    spoil(book.items[sk])
    return (PlantedFault("entries.well_formed", book.account, sk, text),)


def amount_as_text(book: AccountBook) -> Planted:
    """An amount is written as a string."""
    spoil = {"amount_cents": attribute("1999")}
    return _malformed(book, "the amount is a string", lambda entry: entry.update(spoil))


def amount_missing(book: AccountBook) -> Planted:
    """An amount is not written at all."""
    return _malformed(book, "the amount is missing", lambda entry: entry.pop("amount_cents"))


def amount_fractional(book: AccountBook) -> Planted:
    """An amount is written in major units."""
    spoil: Item = {"amount_cents": {"N": "19.99"}}
    return _malformed(book, "the amount has a fraction", lambda entry: entry.update(spoil))


def amount_zero(book: AccountBook) -> Planted:
    """CCBill's webhook lacks the field that the service reads: an adjustment of nothing."""
    if book.draft.processor is not Processor.CCBILL:
        return ()
    for entry in _entries(book, "adjustment", "settled"):
        book.counters -= Counters(owed_settled=_amount(entry))
        entry["amount_cents"] = attribute(0)
        text, sk = "an adjustment is of zero", str(entry["sk"]["S"])
        return (PlantedFault("entries.amount_not_zero", book.account, sk, text),)
    return ()


def unknown_rule(book: AccountBook) -> Planted:
    """An adjustment has a reason no posting rule knows."""
    if not book.debits:
        return ()
    before = book.counters
    sk = book.post("adjustment", "settled", "goodwill", book.price())
    book.counters = before
    text = "an adjustment of an unknown reason"
    return (PlantedFault("entries.known_posting_rule", book.account, sk, text),)


def entry_lost(book: AccountBook) -> Planted:
    """A payment names an entry that was never written."""
    bought = _settled_purchase(book)
    if bought is None or book.draft.processor is not Processor.STRIPE:
        return ()  # elsewhere the entry left alone carries no id: a second finding
    lost = f"LEDGER#{book.clock}#{book.clock}000_{book.rng.getrandbits(64):016x}"
    book.items[bought.payment_sk]["ledger_sk"] = attribute(lost)
    return (
        PlantedFault(
            "links.payment_entry_exists",
            book.account,
            bought.payment_sk,
            "a payment names an entry that is not there",
            {"ledger_sk": lost},
        ),
    )


def amounts_differ(book: AccountBook) -> Planted:
    """A payment says another amount than its entry."""
    bought = _settled_purchase(book)
    if bought is None:
        return ()
    book.items[bought.payment_sk]["amount_cents"] = attribute(bought.amount + 100)
    text = "a payment and its entry differ in amount"
    key = bought.payment_sk
    return (PlantedFault("links.amounts_agree", book.account, key, text, {"difference": 100}),)


def posted_twice(book: AccountBook) -> Planted:
    """One movement of money is two live entries, both counted: the counters agree."""
    fields = ("stripe_payment_intent_id", "ccbill_transaction_id", "paypal_capture_id")
    for sk, entry in sorted(book.items.items()):
        ids = {name: entry[name]["S"] for name in fields if name in entry}
        if sk.startswith("LEDGER#") and ids and entry["state"]["S"] == "settled":
            book.clock += 60
            kind, reason = str(entry["type"]["S"]), str(entry["reason"]["S"])
            book.post(kind, "settled", reason, _amount(entry), **ids)
            text = "one processor id is on two live entries"
            return (PlantedFault("entries.unique_processor_id", book.account, sk, text, ids),)
    return ()


def _entries(book: AccountBook, kind: str, state: str) -> list[Item]:
    return [
        entry
        for sk, entry in sorted(book.items.items())
        if sk.startswith("LEDGER#") and (entry["type"]["S"], entry["state"]["S"]) == (kind, state)
    ]


def _amount(entry: Item) -> int:
    return int(str(entry["amount_cents"]["N"]))


def _adjusted(book: AccountBook) -> int:
    """The amount of the account's first adjustment that adds to what is owed, 0 for none."""
    adding = (
        _amount(entry)
        for entry in _entries(book, "adjustment", "settled")
        if entry["reason"]["S"] != "dispute_funds_reinstated"
    )
    return next(adding, 0)


RECIPES: tuple[tuple[Planter, int], ...] = (
    (several_at_once, 2),
    (settled_twice, 4),
    (settlement_lost, 3),
    (release_lost, 2),
    (adjustment_missed, 2),
    (counters_reset, 1),
    (released_twice, 1),
    (balance_lost, 1),
    (entries_lost, 1),
    (amount_as_text, 1),
    (amount_missing, 1),
    (amount_fractional, 1),
    (amount_zero, 2),
    (unknown_rule, 1),
    (entry_lost, 2),
    (amounts_differ, 2),
    (posted_twice, 2),
)
"""What is planted and how often; the pickiest first, so that each finds an account."""
