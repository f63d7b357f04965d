"""Pages of a scan or query as bytes: past the SDK's slow parser, through everything else of it.

The SDK gets its parsers from a component of its session. A client made here gets one that reads
only the envelope of a page and leaves the items as they came; signing, endpoints, errors and the
guards of `aws.integrity` are untouched. What the envelope's reader does not accept, and every
other reply, goes to the SDK's own parser. An SDK without that component parses as it always did.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from opskit.aws.integrity import RawItems

if TYPE_CHECKING:
    from botocore.session import Session

_COMPONENT = "response_parser_factory"
_PAGES = frozenset({"ScanOutput", "QueryOutput"})


class _Envelope(msgspec.Struct):
    """A page without a look into its items."""

    Items: msgspec.Raw
    Count: int
    ScannedCount: int
    LastEvaluatedKey: dict[str, dict[str, str]] | msgspec.UnsetType = msgspec.UNSET
    ConsumedCapacity: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


_ENVELOPE = msgspec.json.Decoder(_Envelope)


class _Parser(Protocol):
    def parse(self, response: Any, shape: Any) -> Any: ...


class _Factory(Protocol):
    def create_parser(self, protocol_name: str) -> _Parser: ...

    def set_parser_defaults(self, **defaults: object) -> None: ...


@dataclass(frozen=True, slots=True)
class _PageParser:
    inner: _Parser

    def parse(self, response: Any, shape: Any) -> Any:
        """The envelope of a page; what the SDK's own parser makes of anything else."""
        name = getattr(shape, "name", "")
        if name not in _PAGES or response["status_code"] != 200:
            return self.inner.parse(response, shape)
        try:
            response["body"].decode()  # the envelope's reader does not look into raw items
            page = _ENVELOPE.decode(response["body"])
            if bytes(page.Items)[:1] != b"[":
                return self.inner.parse(response, shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self.inner.parse(response, shape)
        parsed = self.inner.parse({**response, "body": b"{}"}, shape)
        return {**parsed, **_members(page)}


def _members(page: _Envelope) -> dict[str, Any]:
    members: dict[str, Any] = {
        "Items": RawItems(bytes(page.Items)),
        "Count": page.Count,
        "ScannedCount": page.ScannedCount,
    }
    if isinstance(page.LastEvaluatedKey, dict):
        members["LastEvaluatedKey"] = sendable_key(page.LastEvaluatedKey)
    if isinstance(page.ConsumedCapacity, dict):
        members["ConsumedCapacity"] = page.ConsumedCapacity
    return members


def sendable_key(key: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """A key as DynamoDB JSON in the form the SDK sends: binary as bytes."""
    return {
        name: {tag: base64.b64decode(text) if tag == "B" else text for tag, text in value.items()}
        for name, value in key.items()
    }


def plain_key(key: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """A key of the SDK's as DynamoDB JSON: binary as base64."""
    return {
        name: {
            tag: base64.b64encode(held).decode() if isinstance(held, bytes) else str(held)
            for tag, held in value.items()
        }
        for name, value in key.items()
    }


@dataclass(frozen=True, slots=True)
class _RawFactory:
    inner: _Factory

    def create_parser(self, protocol_name: str) -> _Parser:
        """A parser of pages in front of the SDK's own."""
        return _PageParser(self.inner.create_parser(protocol_name))

    def set_parser_defaults(self, **defaults: object) -> None:
        """Pass on what the SDK sets for its parsers."""
        self.inner.set_parser_defaults(**defaults)


def leave_pages_raw(session: "Session") -> bool:
    """Make the clients of a session of the SDK give pages as `RawItems`; False where it cannot."""
    try:
        inner = session.get_component(_COMPONENT)
    except ValueError:
        return False
    if not callable(getattr(inner, "create_parser", None)):
        return False
    session.register_component(_COMPONENT, _RawFactory(inner))
    return True
