"""Reading what bears on drifted accounts out of the books, a few queries for many accounts."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from opskit.audit.explain.rows import AccountBooks, Entry, Payment, Rail, WebhookTimes
from opskit.ledger.books import Books, Row
from opskit.ledger.counters import Counters
from opskit.tables.items import COUNTERS

_WANTED = "JOIN (SELECT DISTINCT unnest($accounts) AS account) USING (account)"

_ENTRIES = f"""
SELECT layout, account, sk, ts, type, state, reason, amount_cents, {", ".join(COUNTERS)},
    CASE
        WHEN stripe_payment_intent_id IS NOT NULL OR stripe_charge_id IS NOT NULL
            THEN 'STRIPE_EVENT'
        WHEN paypal_payment_token_id IS NOT NULL OR paypal_order_id IS NOT NULL
            OR paypal_capture_id IS NOT NULL OR paypal_subscription_id IS NOT NULL
            THEN 'PAYPAL_WEBHOOK'
        WHEN ccbill_payment_token_id IS NOT NULL OR ccbill_transaction_id IS NOT NULL
            OR ccbill_subscription_id IS NOT NULL
            THEN 'CCBILL_WEBHOOK'
        ELSE ''
    END AS rail
FROM postings {_WANTED}
WHERE owed_pending IS NOT NULL
ORDER BY layout, account, ts, sk
"""

_PAYMENTS = f"""
SELECT layout, account, sk, status, ledger_sk, updated_at, raw_event_type IS NOT NULL AS by_webhook
FROM payments {_WANTED}
WHERE ledger_sk IS NOT NULL
ORDER BY layout, account, sk
"""

_BALANCES = f"SELECT layout, account, updated_at FROM balances {_WANTED}"

_MARKERS = """
SELECT account, list(ts ORDER BY ts) AS times FROM markers WHERE ts IS NOT NULL GROUP BY account
"""

Key = tuple[str, str]
"""A layout and an account."""


def load_accounts(books: Books, accounts: Sequence[str]) -> dict[str, list[AccountBooks]]:
    """What the books hold of these accounts; two where both key layouts have one of the name."""
    wanted = {"accounts": [*accounts]}
    entries = _grouped(books.rows(_ENTRIES, wanted))
    payments = _grouped(books.rows(_PAYMENTS, wanted))
    balances = {_key(row): row["updated_at"] for row in books.rows(_BALANCES, wanted)}
    webhooks = webhook_times(books)
    loaded: dict[str, list[AccountBooks]] = defaultdict(list)
    for key in sorted({*entries, *balances}):
        account = AccountBooks(
            account=key[1],
            entries=tuple(_entry(row) for row in entries[key]),
            payments=tuple(_payment(row) for row in payments[key]),
            balance_updated_at=_optional(balances.get(key)),
            webhooks=webhooks,
        )
        loaded[account.account].append(account)
    return loaded


def webhook_times(books: Books) -> dict[Rail, WebhookTimes]:
    """When each rail's webhooks came, from the markers that are left."""
    return {Rail(str(row["account"])): WebhookTimes(_times(row)) for row in books.rows(_MARKERS)}


def _times(row: Row) -> tuple[int, ...]:
    times = row["times"]
    assert isinstance(times, list)
    return tuple(times)


def _grouped(rows: Sequence[Row]) -> dict[Key, list[Row]]:
    grouped: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[_key(row)].append(row)
    return grouped


def _key(row: Row) -> Key:
    return str(row["layout"]), str(row["account"])


def _entry(row: Row) -> Entry:
    return Entry(
        sk=str(row["sk"]),
        ts=_optional(row["ts"]) or 0,
        type=str(row["type"]),
        state=str(row["state"]),
        reason=str(row["reason"]),
        amount=_optional(row["amount_cents"]) or 0,
        effect=Counters(*(int(str(row[counter])) for counter in COUNTERS)),
        rail=Rail(str(row["rail"])),
    )


def _payment(row: Row) -> Payment:
    return Payment(
        sk=str(row["sk"]),
        status=str(row["status"]),
        ledger_sk=str(row["ledger_sk"]),
        updated_at=_optional(row["updated_at"]),
        by_webhook=bool(row["by_webhook"]),
    )


def _optional(value: object) -> int | None:
    return None if value is None else int(str(value))


def in_batches(accounts: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The accounts, `size` at a time."""
    for start in range(0, len(accounts), size):
        yield accounts[start : start + size]
