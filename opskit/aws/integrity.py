"""The guard against replies that were altered, cut short, or are not DynamoDB's.

The SDK parses a 200 with an HTML page, an empty or a broken body to an empty result, at which its
paginators end as if the table did; some releases hand back items whose checksum is wrong, or
accept a short body. Each guard below looks at one reply and says what is wrong with it. They keep
no state: what a guard must know of the request travels in the call's own context.
"""

import json
import traceback
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opskit.errors import CorruptResponseError

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse
    from botocore.hooks import BaseEventHooks
    from botocore.model import OperationModel

_CONTEXT_KEY = "opskit_request"
_FILTERS = ("FilterExpression", "QueryFilter", "ScanFilter")
_PAGED = frozenset({"Query", "Scan"})

PROMISED_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "BatchGetItem": ("Responses", "UnprocessedKeys"),
    "BatchWriteItem": ("UnprocessedItems",),
    "CreateTable": ("TableDescription",),
    "DescribeContinuousBackups": ("ContinuousBackupsDescription",),
    "DescribeTable": ("Table",),
    "DescribeTimeToLive": ("TimeToLiveDescription",),
    "ListTables": ("TableNames",),
    "UpdateTimeToLive": ("TimeToLiveSpecification",),
}
"""What every engine puts into a reply to the operation, if only empty."""


@dataclass(frozen=True, slots=True)
class RawItems:
    """The items of a page as the JSON array they came in; who decodes them counts them."""

    array: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """One successful reply as received and as parsed, with the request it answers."""

    operation: str
    headers: Mapping[str, str]
    body: bytes
    parsed: Mapping[str, Any]
    request: Mapping[str, Any]


def checksum_fault(reply: Reply) -> str | None:
    """Whether the body still has the CRC32 it was sent with."""
    sent = reply.headers.get("x-amz-crc32")
    if sent is None or sent == str(zlib.crc32(reply.body)):
        return None
    return "its body does not match its CRC32"


def length_fault(reply: Reply) -> str | None:
    """Whether as many bytes came as were announced."""
    announced = reply.headers.get("content-length")
    if announced is None or announced == str(len(reply.body)):
        return None
    return f"{len(reply.body)} bytes came where {announced[:20]!r} were announced"


def gave_up_fault(reply: Reply) -> str | None:
    """Whether the SDK wanted to retry this very reply and had no quota left.

    `MaxAttemptsReached` is no fault of its own: the SDK sets it on whatever the last attempt
    brought, sound or not, and the one reason it has to retry a success is the checksum.
    """
    metadata = reply.parsed.get("ResponseMetadata", {})
    return "the SDK ran out of retries over it" if metadata.get("RetryQuotaReached") else None


def body_fault(reply: Reply) -> str | None:
    """Whether the body is a JSON object; every DynamoDB reply is one, if only an empty one.

    A page left raw was read as one to tell its members apart.
    """
    if isinstance(reply.parsed.get("Items"), RawItems):
        return None
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):
        return "its body is not JSON"
    return None if isinstance(document, dict) else "its body is not a JSON object"


def members_fault(reply: Reply) -> str | None:
    """Whether what the operation always answers is there."""
    promised = PROMISED_MEMBERS.get(reply.operation, ())
    missing = [name for name in promised if name not in reply.parsed]
    return f"{', '.join(missing)} is missing" if missing else None


def items_fault(reply: Reply) -> str | None:
    """Whether a page of a scan or query holds as many items as it says.

    The items of a page left raw are counted where they are decoded, in `read.pages`.
    """
    if reply.operation not in _PAGED or reply.request.get("Select") == "COUNT":
        return None
    items = reply.parsed.get("Items")
    if items is None:
        return "Items is missing"
    if isinstance(items, RawItems):
        return None
    counted = reply.parsed.get("Count")
    return None if len(items) == counted else f"{len(items)} items came with Count {counted!r:.20}"


def counts_fault(reply: Reply) -> str | None:
    """Whether the counts of a page of a scan or query are possible."""
    if reply.operation not in _PAGED:
        return None
    count, scanned = reply.parsed.get("Count"), reply.parsed.get("ScannedCount")
    if type(count) is not int or type(scanned) is not int or count < 0:
        return "Count or ScannedCount is missing or no count"
    filtered = any(reply.request.get(name) for name in _FILTERS)
    possible = count <= scanned if filtered else count == scanned
    return None if possible else f"Count {count} does not go with ScannedCount {scanned}"


GUARDS = (
    checksum_fault,
    length_fault,
    gave_up_fault,
    body_fault,
    members_fault,
    items_fault,
    counts_fault,
)
"""Every guard, in the order they are asked; the first that finds a fault names it."""


def install_guards(events: "BaseEventHooks") -> None:
    """Make a DynamoDB client raise CorruptResponseError for every reply a guard faults."""
    events.register("before-parameter-build.dynamodb", _remember_request)
    events.register("after-call.dynamodb", _check_reply)
    events.register("after-call-error.dynamodb", _name_parser_failure)


def _remember_request(params: Mapping[str, Any], context: dict[str, Any], **_: object) -> None:
    context[_CONTEXT_KEY] = params


def _check_reply(
    http_response: "AWSResponse",
    parsed: Mapping[str, Any],
    model: "OperationModel",
    context: Mapping[str, Any],
    **_: object,
) -> None:
    if http_response.status_code >= 300:
        return
    request = context.get(_CONTEXT_KEY, {})
    reply = Reply(model.name, http_response.headers, http_response.content, parsed, request)
    for guard in GUARDS:
        fault = guard(reply)
        if fault:
            raise _corrupt(model.name, fault)


_READERS = frozenset({"botocore.parsers", "botocore.retries.special", "botocore.retryhandler"})
"""The modules of the SDK that look into a reply."""
_AFTER_PARSING = "botocore.endpoint"
"""The module that takes a parsed reply for a map; every request passes it, so it must be last."""


def _name_parser_failure(exception: Exception, event_name: str, **_: object) -> None:
    """Give the SDK's own failures over a garbled reply their name: some are bare TypeErrors."""
    operation = event_name.rpartition(".")[2]
    kind = type(exception)
    if kind.__name__ == "ChecksumError":
        raise _corrupt(operation, "its body does not match its CRC32") from None
    if kind.__module__ == "botocore.exceptions":
        return
    frames = traceback.walk_tb(exception.__traceback__)
    passed = [frame.f_globals.get("__name__") for frame, _ in frames]
    if passed[-1:] == [_AFTER_PARSING] or not _READERS.isdisjoint(passed):
        raise _corrupt(operation, "it has not the shape of a reply") from None


def _corrupt(operation: str, fault: str) -> CorruptResponseError:
    return CorruptResponseError(
        f"{operation}: the reply cannot be trusted: {fault}; nothing of it is used, try again"
    )
