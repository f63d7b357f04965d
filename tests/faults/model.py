"""A model of a DynamoDB table: small enough to be right, and answering in DynamoDB's own bytes.

Items lie in the order of their partition's hash and their sort key; a segment is a range of hashes
of its own. A page ends after so many items; unlike any engine at hand the model may give a key
with the last full page, after which an empty page comes, as DynamoDB does.
"""

import json
import zlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any

from tests.faults.items import Item, key_of

Request = Mapping[str, Any]
Body = dict[str, Any]
TABLE = "books"
_HASHES = 2**32
_Place = tuple[int, str, str]


@dataclass(frozen=True)
class Reply:
    """The bytes of one HTTP reply; headers may say otherwise than the body once faults are in."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str, value: str | None) -> "Reply":
        """The reply with a header set, or left out."""
        kept = {key: held for key, held in self.headers.items() if key != name}
        return Reply(self.status, kept if value is None else {**kept, name: value}, self.body)


def reply_of(body: bytes, status: int = 200) -> Reply:
    """A reply with the right length and checksum."""
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "Content-Length": str(len(body)),
        "x-amz-crc32": str(zlib.crc32(body)),
        "x-amzn-RequestId": "MODEL",
    }
    return Reply(status, headers, body)


def json_reply(document: object, status: int = 200) -> Reply:
    """A reply that says a document."""
    return reply_of(json.dumps(document, separators=(",", ":")).encode(), status)


def error_reply(code: str, status: int = 400) -> Reply:
    """A reply that says an error as DynamoDB spells it."""
    space = "com.amazonaws.dynamodb.v20120810" if status >= 500 else "com.amazon.coral.service"
    return json_reply({"__type": f"{space}#{code}", "message": "the model says so"}, status)


def _hash(account: str) -> int:
    return int.from_bytes(md5(account.encode(), usedforsecurity=False).digest()[:4], "big")


def _place(account: str, sk: str) -> _Place:
    return _hash(account), account, sk


def _key(item: Item) -> Item:
    return {"pk": item["pk"], "sk": item["sk"]}


@dataclass
class ModelTable:
    """A table's items, and how it cuts them into pages."""

    items: Sequence[Item]
    page_items: int = 5
    key_on_last: bool = False
    table_id: str = "11111111-1111-1111-1111-111111111111"
    unprocessed: int = 0
    _sorted: list[Item] = field(init=False)
    _places: list[_Place] = field(init=False)

    def __post_init__(self) -> None:
        self._sorted = sorted(self.items, key=lambda item: _place(*key_of(item)))
        self._places = [_place(*key_of(item)) for item in self._sorted]

    def answer(self, operation: str, request: Request) -> Reply:
        """The reply to one request, sound."""
        if request.get("TableName", TABLE) != TABLE:
            return error_reply("ResourceNotFoundException")
        known = {
            "DescribeTable": self._describe,
            "Scan": self._scan,
            "Query": self._query,
            "BatchGetItem": self._batch_get,
            "GetItem": self._get,
        }
        if operation not in known:
            return error_reply("UnknownOperationException")
        return known[operation](request)

    def _describe(self, _: Request) -> Reply:
        keys = [("pk", "HASH"), ("sk", "RANGE")]
        table = {
            "TableName": TABLE,
            "TableArn": f"arn:aws:dynamodb:us-east-1:000000000000:table/{TABLE}",
            "TableId": self.table_id,
            "TableStatus": "ACTIVE",
            "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": "S"} for name, _ in keys
            ],
            "ItemCount": 0,
            "TableSizeBytes": 0,
        }
        return json_reply({"Table": table})

    def _scan(self, request: Request) -> Reply:
        total = request.get("TotalSegments", 1)
        first, end = (
            -(-_HASHES * (request.get("Segment", 0) + offset) // total) for offset in (0, 1)
        )
        start = request.get("ExclusiveStartKey")
        if start and not first <= _hash(start["pk"]["S"]) < end:
            return error_reply("ValidationException")
        low = bisect_right(self._places, (first, "", "")) if first else 0
        return self._page(low, bisect_right(self._places, (end, "", "")), start, request)

    def _query(self, request: Request) -> Reply:
        account = request["ExpressionAttributeValues"][":p"]["S"]
        low = bisect_right(self._places, _place(account, ""))
        high = bisect_right(self._places, _place(account, "\U0010ffff"))
        return self._page(low, high, request.get("ExclusiveStartKey"), request)

    def _page(self, low: int, high: int, start: Item | None, request: Request) -> Reply:
        if start:
            low = max(low, bisect_right(self._places, _place(*key_of(start))))
        end = min(high, low + min(request.get("Limit", self.page_items), self.page_items))
        items = self._sorted[low:end]
        body: Body = {"Items": items, "Count": len(items), "ScannedCount": len(items)}
        if end < high or (self.key_on_last and end - low == self.page_items):
            body["LastEvaluatedKey"] = _key(items[-1])
        if request.get("ReturnConsumedCapacity") == "TOTAL":
            body["ConsumedCapacity"] = {"TableName": TABLE, "CapacityUnits": 0.5}
        return json_reply(body)

    def _find(self, key: Item) -> list[Item]:
        place = _place(*key_of(key))
        at = bisect_right(self._places, place) - 1
        return [self._sorted[at]] if at >= 0 and self._places[at] == place else []

    def _get(self, request: Request) -> Reply:
        found = self._find(request["Key"])
        return json_reply({"Item": found[0]} if found else {})

    def _batch_get(self, request: Request) -> Reply:
        """The items of a batch, but for the last few keys, which stay unprocessed."""
        keys = request["RequestItems"][TABLE]["Keys"]
        done = len(keys) - min(self.unprocessed, max(len(keys) - 1, 0))
        left = {TABLE: {"Keys": keys[done:]}} if keys[done:] else {}
        found = [item for key in keys[:done] for item in self._find(key)]
        return json_reply({"Responses": {TABLE: found}, "UnprocessedKeys": left})
