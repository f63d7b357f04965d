"""What may happen to a reply on its way: each function makes one bad reply of a sound one."""

import base64
import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from tests.faults.calls import Call
from tests.faults.model import Reply, error_reply, json_reply, reply_of

Damage = Callable[[Call], Reply]
_URL = "http://127.0.0.1"
EMPTY_PAGES = 500
MADE_UP = "~no such item "
"""How the sort key of a key begins that no item of the table has."""


def no_connection(call: Call) -> Reply:
    """Nobody listens."""
    raise EndpointConnectionError(endpoint_url=_URL)


def connect_timeout(call: Call) -> Reply:
    """The connection does not come about in time."""
    raise ConnectTimeoutError(endpoint_url=_URL)


def read_timeout(call: Call) -> Reply:
    """The reply does not come in time."""
    raise ReadTimeoutError(endpoint_url=_URL)


def closed(call: Call) -> Reply:
    """The connection breaks off before the reply."""
    raise ConnectionClosedError(endpoint_url=_URL)


def body(make: Callable[[bytes], bytes], *, checksum: bool = True) -> Damage:
    """Another body, whose length and, if wanted, checksum are right."""

    def damaged(call: Call) -> Reply:
        reply = reply_of(make(call.reply().body))
        return reply if checksum else reply.header("x-amz-crc32", None)

    return damaged


def cut(call: Call) -> Reply:
    """The first part of the body under the whole body's headers."""
    reply = call.reply()
    return Reply(200, reply.headers, reply.body[: call.chance.randrange(len(reply.body))])


def cut_spaces(call: Call) -> Reply:
    """A body cut where it is JSON already, without a checksum: only the length tells."""
    reply = call.reply().header("x-amz-crc32", None)
    return reply.header("Content-Length", str(len(reply.body) + 9))


def bit_flip(call: Call) -> Reply:
    """One digit of an item is another; the checksum is the old one."""
    reply = call.reply()
    digits = [at for at, byte in enumerate(reply.body) if byte in b"1234567"]
    at = call.chance.choice(digits)
    flipped = bytes([reply.body[at] + 1])
    return Reply(200, reply.headers, reply.body[:at] + flipped + reply.body[at + 1 :])


def checksum_no_number(call: Call) -> Reply:
    """The checksum is no number."""
    return call.reply().header("x-amz-crc32", "not a number")


def checksum_stripped(call: Call) -> Reply:
    """The reply is sound, but has no checksum."""
    return call.reply().header("x-amz-crc32", None)


def page(change: Callable[[dict[str, Any]], None]) -> Damage:
    """A page that says something else, under a checksum that is right."""
    return lambda call: call.changed(change)


def lose_item(document: dict[str, Any]) -> None:
    """One item fewer than counted; an empty page counts one that is not there."""
    if document["Items"]:
        document["Items"].pop()
    else:
        document["Count"] = document["ScannedCount"] = 1


def lose_counted(document: dict[str, Any]) -> None:
    """One item fewer than scanned, though nothing was filtered."""
    if document["Items"]:
        document["Items"].pop()
        document["Count"] -= 1
    else:
        document["ScannedCount"] = 1


def count_above(document: dict[str, Any]) -> None:
    """More items than were scanned."""
    document["Count"] += 1
    document["Items"].append({"pk": {"S": "USER#invented"}, "sk": {"S": "BALANCE"}})


def error(code: str, status: int = 400) -> Damage:
    """An error as DynamoDB spells it."""
    reply = error_reply(code, status)
    return lambda _: reply


def storm(seconds: float) -> Damage:
    """Every request is throttled for so long."""
    code = "RequestLimitExceeded"
    return lambda call: error_reply(code) if call.now < seconds else call.reply()


def empty_pages(call: Call) -> Reply:
    """So many empty pages, each with a key, before the page itself."""
    start = call.request.get("ExclusiveStartKey")
    number, real = 0, start
    if start and start["sk"]["S"].startswith(MADE_UP):
        number, real = json.loads(start["sk"]["S"].removeprefix(MADE_UP))
    request = {name: held for name, held in call.request.items() if name != "ExclusiveStartKey"}
    if number >= EMPTY_PAGES:
        resumed = {**request, "ExclusiveStartKey": real} if real else request
        return call.model.answer(call.operation, resumed)
    sk = f"{MADE_UP}{json.dumps([number + 1, real])}"
    account = start["pk"]["S"] if start else "USER#empty"
    key = {"pk": {"S": account}, "sk": {"S": sk}}
    return json_reply({"Items": [], "Count": 0, "ScannedCount": 0, "LastEvaluatedKey": key})


def key_repeats(call: Call) -> Reply:
    """The key to go on from is the one just gone on from."""
    start = call.request["ExclusiveStartKey"]
    return call.changed(lambda document: document.update(LastEvaluatedKey=start))


def key_cycles(call: Call) -> Reply:
    """The key to go on from is that of an earlier page of the segment."""
    mine = call.request.get("Segment", 0)
    starts = (json.loads(mark) for mark in call.marks)
    start = next(start for segment, start in starts if start and segment == mine)
    return call.changed(lambda document: document.update(LastEvaluatedKey=start))


def key_empty(call: Call) -> Reply:
    """The key to go on from is an empty map."""
    return call.changed(lambda document: document.update(LastEvaluatedKey={}))


def key_of_other_segment(call: Call) -> Reply:
    """The key to go on from lies in another segment, which DynamoDB refuses to go on from."""
    keys = ({"pk": item["pk"], "sk": item["sk"]} for item in call.model.items)
    other = next(
        key
        for key in keys
        if call.model.answer("Scan", {**call.request, "ExclusiveStartKey": key}).status == 400
    )
    return call.changed(lambda document: document.update(LastEvaluatedKey=other))


def _served_again(call: Call, *, altered: bool) -> Reply:
    """The page with one item more: one of this page or of any other, as it was or altered."""
    item = json.loads(json.dumps(call.chance.choice(_pool(call))))
    if altered:
        item["reason"] = item["status"] = {"S": "altered"}
        item["amount_cents"] = {"N": "31337"}
        item["ttl"] = {"N": "2"}

    def change(document: dict[str, Any]) -> None:
        document["Items"].append(item)
        document["Count"] = document["ScannedCount"] = len(document["Items"])

    return call.changed(change)


def _pool(call: Call) -> list[Any]:
    """The items that can come again: for a query those of its account."""
    values = call.request.get("ExpressionAttributeValues")
    items = call.model.items
    return [item for item in items if values is None or item["pk"] == values[":p"]]


def served_twice(call: Call) -> Reply:
    """An item of the table comes a second time, unchanged."""
    return _served_again(call, altered=False)


def served_differing(call: Call) -> Reply:
    """An item of the table comes a second time, with other content."""
    return _served_again(call, altered=True)


def binary_tail(raw: bytes) -> bytes:
    """Bytes that are no text, in the middle of the body."""
    return raw[: len(raw) // 2] + base64.b64decode("//79") + raw[len(raw) // 2 :]
