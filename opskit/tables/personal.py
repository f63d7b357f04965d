"""What of an item is secret or personal, and what stands in for it wherever items are shown."""

import re
from collections.abc import Mapping

MASK = "••••••"
MASKED_ATTRIBUTES = frozenset(
    "secret_ct_b64 secret_hash code_hash phone_e164 email emails sms_numbers ip last_used_ip"
    " user_agent email_code_hash raw payload event".split()
)
"""The secret and personal attributes of the service, and raw processor payloads, by name."""

_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{5,20}")
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,255}\.[A-Za-z]{2,24}")


def mask(value: object) -> str:
    """A stand-in that tells two devices apart but not who owns them.

    An address keeps its first character, a telephone number its last two digits; anything else,
    secrets above all, keeps nothing.
    """
    text = value if isinstance(value, str) else ""
    if _EMAIL.fullmatch(text):
        return f"{text[0]}•••@•••"
    return f"•••{text[-2:]}" if _PHONE.fullmatch(text) and text[-2:].isdigit() else MASK


def masked(name: str, value: object) -> object:
    """The value of attribute `name` with everything secret or personal in it masked, at any depth.

    Addresses are masked inside any text, since labels and references carry them too.
    """
    if name.rpartition(".")[2].lower() in MASKED_ATTRIBUTES and value not in (None, ""):
        return [mask(one) for one in value] if isinstance(value, list | tuple) else mask(value)
    if isinstance(value, Mapping):
        return {key: masked(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked("", inner) for inner in value]
    if isinstance(value, str) and "@" in value:
        return _EMAIL.sub(lambda found: mask(found[0]), value)
    return value
