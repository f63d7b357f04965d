"""A shortcut through moto's writing of replies, for the sandbox's own process only.

moto looks for each of the ten members of every attribute value under several spellings; in
DynamoDB's items the spelling is always the one. Taking it straight makes a scan four times as
fast. A moto without this place to hook into is served as it is.
"""

from importlib import import_module
from typing import Any


def install_shortcut() -> None:
    """Let moto's serializer read DynamoDB's attribute values directly."""
    try:
        serializer = import_module("moto.core.serialize").ResponseSerializer
        ordinary = serializer.get_value
    except (ImportError, AttributeError):
        return

    def get_value(self: object, value: Any, key: str, shape: Any) -> object:
        owner = getattr(shape, "parent", None)
        if type(value) is dict and owner is not None and owner.name == "AttributeValue":
            return value.get(key)
        found: object = ordinary(self, value, key, shape)
        return found

    serializer.get_value = get_value
