"""What a PayPal payer's account goes through."""

from opskit.sandbox.account import AccountBook, Purchase, digest
from opskit.sandbox.items import major_units


def open_paypal(book: AccountBook) -> None:
    """Write the payment token and the settings."""
    token = _token(book)
    kept = {"payment_token_id": token, "pm_type": "paypal", "label": "paypal", "priority": 0}
    book.put(f"PM#{token}", **kept, created_at=book.clock, raw={})
    settings = {"currency": book.draft.currency, "default_payment_token_id": token}
    book.put("BILLING", autopay_enabled=book.rng.random() < 0.3, **settings)


def purchase(book: AccountBook) -> None:
    """Order and capture; the capture's webhook follows."""
    order, amount = book.reference("ORDER"), book.price()
    capture = order.replace("ORDER", "CAP")
    sk = _entry(book, "settled", amount)
    raw = {"capture": {"id": capture, "status": "COMPLETED"}}
    payment = _payment(book, order, "succeeded", amount, sk, raw=raw)
    book.purchases.append(Purchase(sk, amount, capture, payment))
    _mark(book)


def failed_purchase(book: AccountBook) -> None:
    """Order and have the capture declined."""
    order, amount = book.reference("ORDER"), book.price()
    sk = _entry(book, "reversed", amount)
    raw = {"capture": {"id": order.replace("ORDER", "CAP"), "status": "DECLINED"}}
    _payment(book, order, "failed", amount, sk, raw=raw)


def purchase_in_flight(book: AccountBook) -> None:
    """Order and wait for the payer's approval."""
    order, amount = book.reference("ORDER"), book.price()
    sk = _entry(book, "pending", amount)
    _payment(book, order, "pending", amount, sk, raw={"order": {"id": order, "status": "CREATED"}})


def captured_by_webhook(book: AccountBook) -> None:
    """Have a capture arrive that no call of the service asked for: it has no payment record."""
    amount, capture = book.price(), book.reference("CAP")
    ids = {"paypal_capture_id": capture, "paypal_order_id": capture.replace("CAP", "ORDER")}
    sk = book.post("credit", "settled", "paypal_capture_webhook", amount, **ids)
    book.purchases.append(Purchase(sk, amount, capture))
    _mark(book)


def take_back(book: AccountBook) -> None:
    """Have an earlier capture refunded, or denied after all."""
    if not book.purchases:
        return
    taken = book.purchases.pop()
    outcome = book.rng.choices(("refunded", "denied", "declined"), (6, 1, 1))[0]
    reason = f"payment.capture.{outcome}"
    value = major_units(taken.amount, book.draft.currency)
    resource = {
        "id": taken.reference,
        "amount": {"currency_code": book.draft.currency.upper(), "value": value},
        "custom_id": f"{book.user}|{taken.sk}",
    }
    meta = {"event": {"event_type": reason.upper(), "resource": resource}}
    ids = {"paypal_capture_id": taken.reference, "meta": meta}
    book.post("adjustment", "settled", reason, taken.amount, **ids)
    _mark(book)


def subscribe(book: AccountBook) -> None:
    """Start a subscription, or have it charged again: such a payment has no ledger entry."""
    subscription = book.subscription or book.reference("I-")
    charge = book.reference("SALE")
    _payment(book, charge, "succeeded", 1_499, "", kind="subscription_charge", sub=subscription)
    _mark(book)
    status = book.rng.choices(("active", "suspended", "canceled"), (8, 1, 1))[0]
    started = not book.subscription
    created = book.clock if started else int(str(_held(book, "created_at")))
    book.subscription = subscription
    book.put(
        f"SUB#{subscription}",
        subscription_id=subscription,
        status=status,
        plan_id="P-MONTHLY",
        payment_token_id=_token(book),
        last_external_id=charge,
        next_renewal_time=book.clock + 30 * 86_400,
        created_at=created,
        updated_at=book.clock,
        raw={},
    )


def _held(book: AccountBook, name: str) -> object:
    return book.items[f"SUB#{book.subscription}"][name]["N"]


def _token(book: AccountBook) -> str:
    return f"tok_{book.user}"


def _entry(book: AccountBook, state: str, amount: int) -> str:
    key = book.idempotency_key("order", _token(book), amount)
    meta = {"idempotency_key": key, "mode": "one_time"}
    ids = {"paypal_payment_token_id": _token(book), "meta": meta}
    return book.post("credit", state, "charge_once", amount, **ids)


def _payment(
    book: AccountBook, external: str, status: str, amount: int, ledger_sk: str, **rest: object
) -> str:
    created = book.clock
    book.wait(1, 1_800)
    link = {"ledger_sk": ledger_sk} if ledger_sk else {}
    return book.put(
        f"PAY#{external}",
        external_id=external,
        status=status,
        amount_cents=amount,
        currency=book.draft.currency,
        kind=rest.get("kind", "one_time"),
        payment_token_id=_token(book),
        subscription_id=rest.get("sub"),
        raw=rest.get("raw", {}),
        created_at=created,
        updated_at=book.clock,
        **link,
    )


def _mark(book: AccountBook) -> None:
    book.mark("PAYPAL_WEBHOOK", digest(book.account, book.reference("WH")))
