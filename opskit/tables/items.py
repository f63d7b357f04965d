"""Which item of the billing table is what, and which of its attributes opskit keeps.

The kinds and attributes are the service's data contract as data; `read.decode` builds one Arrow
table per kind from them, and every view, check and report speaks of these columns. Payloads a
processor sent (`raw`, `payload`, `event`) are not kept, only the identifiers named below.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum

from opskit.settings import Layout as Layout  # noqa: PLC0414 - the kinds of item speak of it


class KindName(StrEnum):
    """The kinds of item; each is a Parquet file of a snapshot and a SQL view."""

    ENTRIES = "entries"
    BALANCES = "balances"
    SETTINGS = "settings"
    PROFILES = "profiles"
    PAYMENT_METHODS = "payment_methods"
    PAYMENTS = "payments"
    SUBSCRIPTIONS = "subscriptions"
    MARKERS = "markers"
    UNMATCHED = "unmatched"
    UNCLASSIFIED = "unclassified"


class Form(Enum):
    """The DynamoDB type an attribute must have, and the column it becomes."""

    TEXT = "S"
    WHOLE = "N"
    FLAG = "BOOL"


@dataclass(frozen=True, slots=True)
class Column:
    """One kept attribute: a column of the kind's table.

    `path` leads into nested maps (`meta.dispute_id` is `("meta", "dispute_id")`). A required
    attribute that is absent, or any that has another type than `form`, is a defect of the item.
    """

    name: str
    form: Form
    path: tuple[str, ...]
    required: bool = False


def _text(*names: str, required: bool = False) -> tuple[Column, ...]:
    return tuple(Column(name, Form.TEXT, (name,), required) for name in names)


def _whole(*names: str, required: bool = False) -> tuple[Column, ...]:
    return tuple(Column(name, Form.WHOLE, (name,), required) for name in names)


def _flag(*names: str, required: bool = False) -> tuple[Column, ...]:
    return tuple(Column(name, Form.FLAG, (name,), required) for name in names)


def _nested(name: str, *path: str) -> Column:
    return Column(name, Form.TEXT, path)


COUNTERS = ("owed_pending", "owed_settled", "payments_pending", "payments_settled")
"""The four counters of a BALANCE, in minor units, in the order every report shows them."""

ENTRIES = (
    *_text("entry_id", required=True),
    *_whole("ts", required=True),
    *_text("type", required=True),
    *_whole("amount_cents", required=True),
    *_text("state", "reason", required=True),
    *_text("stripe_payment_intent_id", "stripe_charge_id"),
    *_text("paypal_payment_token_id", "paypal_order_id", "paypal_capture_id"),
    *_text("paypal_subscription_id"),
    *_text("ccbill_payment_token_id", "ccbill_transaction_id", "ccbill_subscription_id"),
    _nested("idempotency_key", "meta", "idempotency_key"),
    _nested("mode", "meta", "mode"),
    _nested("plan_id", "meta", "plan_id"),
    _nested("meta_currency", "meta", "currency"),
    _nested("dispute_id", "meta", "dispute_id"),
    _nested("event_id", "meta", "event", "id"),
    _nested("event_type", "meta", "event", "event_type"),
    _nested("ccbill_event_type", "meta", "eventType"),
    _nested("event_resource_id", "meta", "event", "resource", "id"),
    _nested("event_custom_id", "meta", "event", "resource", "custom_id"),
    _nested("event_amount", "meta", "event", "resource", "amount", "value"),
    _nested("event_currency", "meta", "event", "resource", "amount", "currency_code"),
    _nested("ccbill_billed_amount", "meta", "payload", "billedAmount"),
)
BALANCES = (
    *_text("currency", required=True),
    *_whole(*(f"{counter}_cents" for counter in COUNTERS), required=True),
    *_whole("updated_at"),
)
SETTINGS = (
    *_flag("autopay_enabled"),
    *_text("currency", "default_payment_method_id", "default_payment_token_id"),
)
PROFILES = (*_text("stripe_customer_id"), *_whole("created_at"))
PAYMENT_METHODS = (
    *_text("payment_method_id", "payment_token_id", "method_type", "pm_type"),
    *_text("label", "brand", "last4"),
    *_whole("exp_month", "exp_year", "priority", "created_at"),
)
PAYMENTS = (
    *_text("payment_intent_id", "external_id", "transaction_id"),
    *_text("status", required=True),
    *_whole("amount_cents", required=True),
    *_text("currency", "ledger_sk", "kind", "customer_id", "payment_method_id"),
    *_text("payment_token_id", "subscription_id", "charge_id", "purchase_txn_id"),
    *_whole("created_at", "updated_at"),
    _nested("raw_capture_id", "raw", "capture", "id"),
    _nested("raw_event_type", "raw", "event", "event_type"),
    _nested("raw_event_resource_id", "raw", "event", "resource", "id"),
)
SUBSCRIPTIONS = (
    *_text("subscription_id"),
    *_text("status", required=True),
    *_text("plan_id", "payment_token_id"),
    *_text("last_transaction_id", "last_external_id"),
    *_whole("created_at", "updated_at"),
)
MARKERS = (*_whole("ts", "ttl_epoch", "ttl"),)
UNMATCHED = (*_text("eventType"), *_whole("created_at"))

COLUMNS: dict[KindName, tuple[Column, ...]] = {
    KindName.ENTRIES: ENTRIES,
    KindName.BALANCES: BALANCES,
    KindName.SETTINGS: SETTINGS,
    KindName.PROFILES: PROFILES,
    KindName.PAYMENT_METHODS: PAYMENT_METHODS,
    KindName.PAYMENTS: PAYMENTS,
    KindName.SUBSCRIPTIONS: SUBSCRIPTIONS,
    KindName.MARKERS: MARKERS,
    KindName.UNMATCHED: UNMATCHED,
    KindName.UNCLASSIFIED: (),
}

MARKER_PARTITIONS = frozenset({"STRIPE_EVENT", "PAYPAL_WEBHOOK", "CCBILL_WEBHOOK"})
UNMATCHED_PARTITIONS = frozenset(
    {
        "PAYPAL_WEBHOOK_UNMATCHED",
        "CCBILL_WEBHOOK_UNMATCHED",
        "PAYPAL_WEBHOOK_OTHER",
        "CCBILL_WEBHOOK_OTHER",
    }
)
SERVICE_PARTITIONS = MARKER_PARTITIONS | UNMATCHED_PARTITIONS

USER_PREFIX = "USER#"
SINGLETONS = {
    "BALANCE": KindName.BALANCES,
    "BILLING": KindName.SETTINGS,
    "PROFILE": KindName.PROFILES,
}
PREFIXES = {
    "LEDGER": KindName.ENTRIES,
    "PAY": KindName.PAYMENTS,
    "PM": KindName.PAYMENT_METHODS,
    "SUB": KindName.SUBSCRIPTIONS,
}


def kind_of(layout: Layout, account: str, sk: str) -> KindName:
    """The kind of the item at a key; what no rule of the contract names is unclassified."""
    if account in MARKER_PARTITIONS:
        return KindName.MARKERS
    if account in UNMATCHED_PARTITIONS:
        return KindName.UNMATCHED
    if layout is Layout.PK and not account.startswith(USER_PREFIX):
        return KindName.UNCLASSIFIED
    prefix, mark, _ = sk.partition("#")
    kinds = PREFIXES if mark else SINGLETONS
    return kinds.get(prefix, KindName.UNCLASSIFIED)


def user_id(layout: Layout, account: str) -> str:
    """The service's user id of a partition key value as stored."""
    return account.removeprefix(USER_PREFIX) if layout is Layout.PK else account
