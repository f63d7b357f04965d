"""A loopback HTTP server that answers DynamoDB requests soundly, or with one kind of garbage."""

import json
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from typing import Any

ITEM = {"pk": {"S": "USER#u1"}, "sk": {"S": "BALANCE"}, "owed_settled_cents": {"N": "1999"}}
KEY = {"pk": ITEM["pk"], "sk": ITEM["sk"]}


class Answer(StrEnum):
    """What the server does with one request."""

    SOUND = "a sound reply"
    SERVER_ERROR = "status 500"
    HTML = "an HTML page"
    EMPTY = "an empty body"
    BROKEN_JSON = "broken JSON"
    NOT_UTF8 = "bytes that are no text"
    ARRAY = "a JSON array"
    NULL = "a JSON null"
    TRUE = "a JSON true"
    NUMBER = "a JSON number"
    TEXT = "a JSON text"
    NO_MEMBERS = "an empty JSON object"
    WRONG_TYPES = "JSON of the wrong types"
    TRUNCATED = "a body shorter than announced"
    CUT_PADDING = "a body cut where it is still JSON"
    CUT_CHUNKS = "a chunked body that breaks off"
    BAD_CRC = "one digit altered, the old checksum"
    CRC_NO_NUMBER = "a checksum that is no number"
    ITEMS_MISSING = "a page without Items"
    COUNT_DIFFERS = "a page with fewer items than its Count"
    COUNT_ABOVE_SCANNED = "a page with more items than were scanned"
    COUNT_BELOW_SCANNED = "a page of an unfiltered scan that lost items"
    COUNTS_MISSING = "a page without counts"


@dataclass(frozen=True)
class Wire:
    """The bytes of one reply: what is announced and what is sent may differ."""

    body: bytes
    announced: int | None = None
    crc: str | None = None
    status: int = 200


def sound_reply(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """What an engine with one item a page, two pages, answers."""
    page: dict[str, Any] = {"Items": [ITEM], "Count": 1, "ScannedCount": 1}
    if "ExclusiveStartKey" not in request:
        page["LastEvaluatedKey"] = KEY
    return {
        "Scan": page,
        "Query": page,
        "GetItem": {"Item": ITEM},
        "BatchGetItem": {"Responses": {"books": [ITEM]}, "UnprocessedKeys": {}},
        "BatchWriteItem": {"UnprocessedItems": {}},
        "DescribeTable": {"Table": {"TableName": "books", "TableStatus": "ACTIVE"}},
        "ListTables": {"TableNames": ["books"]},
    }[operation]


_PAGE_CHANGES: dict[Answer, dict[str, int]] = {
    Answer.COUNT_DIFFERS: {"Count": 2, "ScannedCount": 2},
    Answer.COUNT_ABOVE_SCANNED: {"ScannedCount": 0},
    Answer.COUNT_BELOW_SCANNED: {"ScannedCount": 5},
}


def _altered(answer: Answer, reply: dict[str, Any]) -> dict[str, Any]:
    """The reply with what it says changed."""
    if answer is Answer.ITEMS_MISSING:
        return {"Count": 0, "ScannedCount": 0}
    if answer is Answer.COUNTS_MISSING:
        return {"Items": reply.get("Items", [])}
    if answer is Answer.WRONG_TYPES:
        return dict.fromkeys(reply, "text")
    return reply | _PAGE_CHANGES.get(answer, {})


_BODIES: dict[Answer, Callable[[bytes], Wire]] = {
    Answer.SERVER_ERROR: lambda _: Wire(b'{"__type":"InternalServerError"}', status=500),
    Answer.HTML: lambda _: Wire(b"<html><body>Service Unavailable</body></html>"),
    Answer.EMPTY: lambda _: Wire(b""),
    Answer.BROKEN_JSON: lambda body: Wire(body[:-3]),
    Answer.NOT_UTF8: lambda body: Wire(body.replace(b"1", b"\xff")[:-1] + b"\xff}"),
    Answer.ARRAY: lambda body: Wire(b"[" + body + b"]"),
    Answer.NULL: lambda _: Wire(b"null"),
    Answer.TRUE: lambda _: Wire(b"true"),
    Answer.NUMBER: lambda _: Wire(b"5"),
    Answer.TEXT: lambda _: Wire(b'"text"'),
    Answer.NO_MEMBERS: lambda _: Wire(b"{}"),
    Answer.TRUNCATED: lambda body: Wire(body[: len(body) // 2], announced=len(body)),
    Answer.CUT_PADDING: lambda body: Wire(body, announced=len(body) + 20),
    Answer.BAD_CRC: lambda body: Wire(body.replace(b"1999", b"1799") + b" ", crc="0"),
    Answer.CRC_NO_NUMBER: lambda body: Wire(body, crc="not a number"),
}


def wire(answer: Answer, reply: dict[str, Any]) -> Wire:
    """The bytes that say `reply`, damaged as the answer tells."""
    body = json.dumps(_altered(answer, reply)).encode()
    damaged = _BODIES.get(answer)
    return damaged(body) if damaged else Wire(body, crc=str(zlib.crc32(body)))


class GarbageServer(ThreadingHTTPServer):
    """Answers each request as the next of its answers says; the last one goes on for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer_with(Answer.SOUND)

    def answer_with(self, *answers: Answer) -> None:
        """Forget what was received, and answer like this from now on."""
        self.answers = chain(answers, repeat(answers[-1]))
        self.received: list[str] = []

    @property
    def url(self) -> str:
        """The endpoint to send to."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: GarbageServer
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_POST(self) -> None:
        """Answer one request and close."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        self.server.received.append(operation)
        answer = next(self.server.answers)
        reply = wire(answer, sound_reply(operation, request))
        self.send_response(reply.status)
        self.send_header("Connection", "close")
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        if reply.crc is not None:
            self.send_header("x-amz-crc32", reply.crc)
        if answer is Answer.CUT_CHUNKS:
            self._send_half_a_chunk(reply.body)
            return
        length = len(reply.body) if reply.announced is None else reply.announced
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(reply.body)

    def _send_half_a_chunk(self, body: bytes) -> None:
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%s" % (len(body), body[: len(body) // 2]))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def garbage_server(*answers: Answer) -> Iterator[GarbageServer]:
    """Serve until the block ends."""
    server = GarbageServer()
    server.answer_with(*answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
