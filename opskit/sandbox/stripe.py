"""What a Stripe customer's account goes through."""

from opskit.sandbox.account import AccountBook, Purchase


def open_stripe(book: AccountBook) -> None:
    """Write the profile, a card and the settings."""
    method = f"pm_{book.user}"
    last4 = f"{book.rng.randint(0, 9999):04d}"
    brand = book.rng.choice(("visa", "mastercard", "amex"))
    book.put("PROFILE", stripe_customer_id=f"cus_{book.user}", created_at=book.clock)
    book.put(
        f"PM#{method}",
        payment_method_id=method,
        method_type="card",
        label=f"{brand} ****{last4}",
        brand=brand,
        last4=last4,
        exp_month=book.rng.randint(1, 12),
        exp_year=2030,
        priority=0,
        created_at=book.clock,
    )
    settings = {"currency": book.draft.currency, "default_payment_method_id": method}
    book.put("BILLING", autopay_enabled=book.rng.random() < 0.3, **settings)


def purchase(book: AccountBook) -> None:
    """Charge the card once; the webhook settles it."""
    _pay(book, "charge_once", book.price())


def pay_balance(book: AccountBook) -> None:
    """Pay what is due, if anything is."""
    if book.counters.due_settled > 0:
        _pay(book, "payment", book.counters.due_settled)


def failed_purchase(book: AccountBook) -> None:
    """Try the card and be refused, or have the user give up."""
    status = book.rng.choice(("payment_failed", "requires_payment_method", "canceled"))
    intent, amount = book.reference("pi_"), book.price()
    sk = _entry(book, "reversed", "charge_once", amount, intent)
    _payment(book, intent, status, amount, sk)


def purchase_in_flight(book: AccountBook) -> None:
    """Charge the card and wait for the bank, or for the user."""
    status = book.rng.choice(("processing", "requires_action"))
    intent, amount = book.reference("pi_"), book.price()
    sk = _entry(book, "pending", "charge_once", amount, intent)
    _payment(book, intent, status, amount, sk)


def dispute(book: AccountBook) -> None:
    """Have the bank take back an earlier purchase, and give it back if the dispute is won."""
    if not book.purchases:
        return
    disputed = book.purchases.pop()
    ids = {
        "stripe_payment_intent_id": disputed.reference,
        "stripe_charge_id": disputed.reference.replace("pi_", "ch_"),
        "meta": {"currency": book.draft.currency, "dispute_id": book.reference("dp_")},
    }
    book.post("adjustment", "settled", "dispute_funds_withdrawn", disputed.amount, **ids)
    _mark(book)
    if book.rng.random() < 0.5:
        book.wait(3_600, 86_400)
        book.post("adjustment", "settled", "dispute_funds_reinstated", disputed.amount, **ids)
        _mark(book)


def _pay(book: AccountBook, reason: str, amount: int) -> None:
    intent = book.reference("pi_")
    sk = _entry(book, "settled", reason, amount, intent)
    payment = _payment(book, intent, "succeeded", amount, sk)
    book.purchases.append(Purchase(sk, amount, intent, payment))
    _mark(book)


def _entry(book: AccountBook, state: str, reason: str, amount: int, intent: str) -> str:
    action = "paybalance" if reason == "payment" else "purchase"
    meta = {"idempotency_key": book.idempotency_key(action, f"pm_{book.user}", amount)}
    return book.post("credit", state, reason, amount, stripe_payment_intent_id=intent, meta=meta)


def _payment(book: AccountBook, intent: str, status: str, amount: int, ledger_sk: str) -> str:
    created = book.clock
    book.wait(60, 3_600)
    return book.put(
        f"PAY#{intent}",
        payment_intent_id=intent,
        status=status,
        amount_cents=amount,
        currency=book.draft.currency,
        ledger_sk=ledger_sk,
        customer_id=f"cus_{book.user}",
        payment_method_id=f"pm_{book.user}",
        payment_method_type="card",
        purchase_txn_id=f"{book.rng.getrandbits(128):032x}",
        created_at=created,
        updated_at=book.clock,
    )


def _mark(book: AccountBook) -> None:
    book.mark("STRIPE_EVENT", book.reference("evt_"))
