"""What a CCBill consumer's account goes through."""

from opskit.sandbox.account import AccountBook, Purchase, digest
from opskit.sandbox.items import major_units

MONTHLY = 999


def open_ccbill(book: AccountBook) -> None:
    """Write the payment token and the settings."""
    token = _token(book)
    book.put(f"PM#{token}", payment_token_id=token, priority=0, created_at=book.clock)
    settings = {"currency": book.draft.currency, "default_payment_token_id": token}
    book.put("BILLING", autopay_enabled=book.rng.random() < 0.3, **settings)


def purchase(book: AccountBook) -> None:
    """Charge the token once."""
    _pay(book, "charge_once", book.price())


def pay_balance(book: AccountBook) -> None:
    """Pay what is due, if anything is."""
    if book.counters.due_settled > 0:
        _pay(book, "pay_balance", book.counters.due_settled)


def failed_purchase(book: AccountBook) -> None:
    """Charge the token and be refused."""
    transaction, amount = book.reference("cc"), book.price()
    sk = _entry(book, "reversed", "charge_once", amount)
    _payment(book, transaction, "failed", amount, sk)


def purchase_in_flight(book: AccountBook) -> None:
    """Write the entry and wait for the processor's answer: there is no payment record yet."""
    _entry(book, "pending", "charge_once", book.price())


def subscribe(book: AccountBook) -> None:
    """Sign up, or have the running subscription rebilled by a webhook."""
    transaction = book.reference("cc")
    if book.subscription:
        sk = _rebill(book, transaction)
        kind = "subscription_rebill"
    else:
        book.subscription = book.reference("sub")
        sk = _entry(book, "settled", "subscription_signup", MONTHLY)
        kind = "subscription_signup"
    payment = _payment(book, transaction, "succeeded", MONTHLY, sk, kind=kind)
    book.purchases.append(Purchase(sk, MONTHLY, transaction, payment))
    _keep_subscription(book, transaction)


def take_back(book: AccountBook) -> None:
    """Have a transaction charged back, refunded, voided or returned."""
    if not book.purchases:
        return
    taken = book.purchases.pop()
    event = book.rng.choice(("Chargeback", "Refund", "Void", "Return"))
    payload = _payload(book, taken.reference, taken.amount)
    meta = {"eventType": event, "payload": payload, "q": {"eventType": event}}
    ids = {"ccbill_transaction_id": taken.reference, "meta": meta}
    book.post("adjustment", "settled", event.lower(), taken.amount, **ids)
    _mark(book)


def _rebill(book: AccountBook, transaction: str) -> str:
    payload = _payload(book, transaction, MONTHLY) | {"subscriptionId": book.subscription}
    event = "RenewalSuccess"
    _mark(book)
    return book.post(
        "credit",
        "settled",
        "subscription_rebill",
        MONTHLY,
        ccbill_transaction_id=transaction,
        ccbill_subscription_id=book.subscription,
        meta={"eventType": event, "payload": payload, "q": {"eventType": event}},
    )


def _keep_subscription(book: AccountBook, transaction: str) -> None:
    sk = f"SUB#{book.subscription}"
    held = book.items.get(sk)
    created = int(str(held["created_at"]["N"])) if held else book.clock
    status = book.rng.choices(("active", "past_due", "canceled", "expired"), (12, 1, 1, 1))[0]
    book.put(
        sk,
        subscription_id=book.subscription,
        status=status,
        plan_id="monthly",
        payment_token_id=_token(book),
        last_transaction_id=transaction,
        created_at=created,
        updated_at=book.clock,
        raw={"approved": True, "subscriptionId": book.subscription},
    )


def _pay(book: AccountBook, reason: str, amount: int) -> None:
    transaction = book.reference("cc")
    sk = _entry(book, "settled", reason, amount)
    payment = _payment(book, transaction, "succeeded", amount, sk)
    book.purchases.append(Purchase(sk, amount, transaction, payment))


def _token(book: AccountBook) -> str:
    return f"t_{book.user}"


def _payload(book: AccountBook, transaction: str, amount: int) -> dict[str, str]:
    billed = major_units(amount, book.draft.currency)
    return {"X-app_user_id": book.user, "billedAmount": billed, "transactionId": transaction}


def _entry(book: AccountBook, state: str, reason: str, amount: int) -> str:
    signup = reason == "subscription_signup"
    action = "subscribe" if signup else reason.replace("_", "")
    key = book.idempotency_key(action, _token(book), amount)
    mode = {"mode": "subscription", "plan_id": "monthly"} if signup else {"mode": "one_time"}
    ids = {"ccbill_payment_token_id": _token(book), "meta": {"idempotency_key": key, **mode}}
    return book.post("credit", state, reason, amount, **ids)


def _payment(
    book: AccountBook, transaction: str, status: str, amount: int, ledger_sk: str, **rest: object
) -> str:
    kind = str(rest.get("kind", "one_time"))
    subscription = book.subscription if kind != "one_time" else None
    created = book.clock
    book.wait(1, 20)
    return book.put(
        f"PAY#{transaction}",
        transaction_id=transaction,
        status=status,
        amount_cents=amount,
        currency=book.draft.currency,
        kind=kind,
        ledger_sk=ledger_sk,
        payment_token_id=_token(book),
        subscription_id=subscription,
        raw={"approved": status == "succeeded", "transactionId": transaction},
        created_at=created,
        updated_at=book.clock,
    )


def _mark(book: AccountBook) -> None:
    body = digest(book.account, book.reference("WH"))
    book.mark("CCBILL_WEBHOOK", body, ttl="ttl")
