"""A server that replays pre-built Scan pages, so that only the client's cost is measured."""

import asyncio
import json
import multiprocessing
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from tests.bench.books import PAGE_ITEMS, ledger_items

TABLE = "books"


def _page(items: list[bytes], *, last: bool) -> bytes:
    """A whole HTTP response with one page of a scan."""
    units = sum(map(len, items)) / 4096
    body = (
        b'{"ConsumedCapacity":{"CapacityUnits":%.1f,"TableName":"books"},"Count":%d,"Items":['
        % (units, len(items))
    )
    body += b",".join(items) + b"]"
    if not last:
        key = json.loads(items[-1])
        shown = json.dumps({"pk": key["pk"], "sk": key["sk"]}, separators=(",", ":"))
        body += b',"LastEvaluatedKey":' + shown.encode()
    return _response(body + b',"ScannedCount":%d}' % len(items))


def _response(body: bytes) -> bytes:
    head = (
        "HTTP/1.1 200 OK\r\nServer: Server\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"Content-Length: {len(body)}\r\nConnection: keep-alive\r\n"
        f"x-amzn-RequestId: 00000000\r\nx-amz-crc32: {zlib.crc32(body)}\r\n\r\n"
    )
    return head.encode() + body


def _table(count: int) -> bytes:
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    types = [{"AttributeName": key["AttributeName"], "AttributeType": "S"} for key in keys]
    table = {
        "TableName": TABLE,
        "TableStatus": "ACTIVE",
        "TableId": "00000000-0000-0000-0000-000000000000",
        "TableArn": "arn:aws:dynamodb:us-east-1:000000000000:table/books",
        "KeySchema": keys,
        "AttributeDefinitions": types,
        "ItemCount": count,
        "TableSizeBytes": 0,
    }
    return _response(json.dumps({"Table": table}).encode())


class _Books:
    """The pages of the table, dealt to the segments of whatever scan asks."""

    def __init__(self, count: int) -> None:
        self.pages: list[list[bytes]] = []
        batch: list[bytes] = []
        for item in ledger_items(count):
            batch.append(item)
            if len(batch) == PAGE_ITEMS:
                self.pages.append(batch)
                batch = []
        if batch:
            self.pages.append(batch)
        self.of_key = {self._key(page[-1]): n for n, page in enumerate(self.pages)}
        self.built = {(n, False): _page(page, last=False) for n, page in enumerate(self.pages)}
        self.table = _table(count)

    @staticmethod
    def _key(item: bytes) -> str:
        return str(json.loads(item)["sk"]["S"])

    def answer(self, head: bytes, body: bytes) -> bytes:
        """The response to one request."""
        if b"DescribeTable" in head:
            return self.table
        request = json.loads(body)
        total = request.get("TotalSegments", 1)
        start = request.get("ExclusiveStartKey")
        number = self.of_key[start["sk"]["S"]] + total if start else request.get("Segment", 0)
        if number >= len(self.pages):
            return _response(b'{"Count":0,"Items":[],"ScannedCount":0}')
        last = number + total >= len(self.pages)
        if (number, last) not in self.built:
            self.built[number, last] = _page(self.pages[number], last=last)
        return self.built[number, last]


async def _serve(count: int, ready: Connection) -> None:
    books = _Books(count)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                )
                writer.write(books.answer(head, await reader.readexactly(length)))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    ready.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _run(count: int, ready: Connection) -> None:
    asyncio.run(_serve(count, ready))


@contextmanager
def replaying(count: int) -> Iterator[str]:
    """The endpoint of a server, in its own process, that holds so many ledger items."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    child = context.Process(target=_run, args=(count, there), daemon=True)
    child.start()
    try:
        if not here.poll(300):
            raise TimeoutError("the replay server did not start")
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        child.terminate()
        child.join(10)
