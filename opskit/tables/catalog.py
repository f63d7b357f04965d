"""The nine tables of the service as data; the names come from the settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from opskit.settings import Settings
from opskit.tables.items import Layout
from opskit.tables.spec import Index, Key, TableSpec


@dataclass(frozen=True, slots=True)
class Entry:
    """One table of the catalogue, before its name is known."""

    key: Key
    expires: bool = False
    by_user: bool = False


ENTRIES: Mapping[str, Entry] = {
    "sessions": Entry(Key("user_sub", "session_id"), expires=True),
    "totp_devices": Entry(Key("user_sub", "device_id")),
    "sms_devices": Entry(Key("user_sub", "sms_device_id")),
    "email_devices": Entry(Key("user_sub", "email_device_id")),
    "recovery_codes": Entry(Key("user_sub", "code_hash")),
    "api_keys": Entry(Key("key_id"), expires=True, by_user=True),
    "alerts": Entry(Key("user_sub", "alert_id"), expires=True),
    "alert_prefs": Entry(Key("user_sub")),
    "billing": Entry(Key("pk", "sk"), expires=True),
}
"""Every logical table: its key, whether its items expire, whether it has the index by user."""

BILLING_KEYS: Mapping[Layout, Key] = {
    Layout.PK: Key("pk", "sk"),
    Layout.USER_SUB: Key("user_sub", "sk"),
}

CODE_PATHS: Mapping[Layout, str] = {Layout.PK: "Stripe and PayPal", Layout.USER_SUB: "CCBill"}
"""The service's code that can address a billing table of each layout; no table serves both."""


def catalogue(settings: Settings) -> Mapping[str, TableSpec]:
    """The wanted tables by logical name, those whose name is set, in the contract's order."""
    names = settings.table_names
    return {
        logical: _spec(logical, entry, names[logical], settings)
        for logical, entry in ENTRIES.items()
        if logical in names
    }


def _spec(logical: str, entry: Entry, name: str, settings: Settings) -> TableSpec:
    billing = logical == "billing"
    return TableSpec(
        name=name,
        key=BILLING_KEYS[settings.billing_layout] if billing else entry.key,
        # Callers read every attribute of a key through the index, so it projects ALL.
        indexes=(Index(settings.user_index, Key("user_sub")),) if entry.by_user else (),
        ttl_attribute=settings.ttl_attribute if entry.expires else None,
    )


def billing_layout(key: Key) -> Layout | None:
    """The layout a billing table's key has; None when no code of the service can use it."""
    return next((layout for layout, wanted in BILLING_KEYS.items() if wanted == key), None)
