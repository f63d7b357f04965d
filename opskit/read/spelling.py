"""What an item says, whatever way its JSON spells it."""

import hashlib
import json
from decimal import Decimal

import pyarrow as pa


def content_digests(texts: pa.ChunkedArray) -> pa.Array:
    """A digest of each item given as JSON that only its content changes; null of a null."""
    return pa.array([_digest(text) for text in texts.to_pylist()], pa.string())


def _digest(text: str | None) -> str | None:
    if text is None:
        return None
    return hashlib.sha256(_content(text).encode("utf-8", "surrogatepass")).hexdigest()


def _content(text: str) -> str:
    """The same text for the same item: its members sorted, numbers exact, none of a name merged."""
    try:
        return repr(json.loads(text, object_pairs_hook=_members, parse_float=Decimal))
    except (ValueError, ArithmeticError, RecursionError):
        return text


def _members(pairs: list[tuple[str, object]]) -> tuple[tuple[str, object], ...]:
    return tuple(sorted(pairs, key=repr))
