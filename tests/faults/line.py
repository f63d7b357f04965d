"""The line: the model behind a loopback server, and a TCP proxy that spoils some connections.

The server closes after each reply, so that a connection is a request and the proxy need not know
HTTP. Which connections are hit is drawn from the seed and the connection's number; with several
threads the order of connections is the machine's, so that a run is had again only nearly.
"""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

from tests.faults.model import ModelTable, Reply, Request

LATE = 0.6
"""Seconds that a late reply waits: longer than the clients of these tests do."""

_SPARED = 1


class Toxic(StrEnum):
    """What the proxy does to a connection."""

    NONE = "nothing"
    REFUSE = "reset before the reply"
    LATE = "reply too late"
    JITTER = "reply a little late"
    RESET = "reset in the middle of the body"
    CUT = "closed in the middle of the body"
    SLICED = "reply in small slices"
    SLOW_CLOSE = "closed late"


class ModelServer(ThreadingHTTPServer):
    """Serves whatever answers on loopback; with `chunked` bodies have no length announced."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answer: Callable[[str, Request], Reply]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.chunked = False

    @property
    def url(self) -> str:
        """The endpoint to send to."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: ModelServer
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_POST(self) -> None:
        """Answer one request and close."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        reply = self.server.answer(self.headers["X-Amz-Target"].rpartition(".")[2], request)
        chunked = self.server.chunked
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            if not (chunked and name == "Content-Length"):
                self.send_header(name, value)
        self.send_header("Connection", "close")
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(_chunks(reply.body) if chunked else reply.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _chunks(body: bytes) -> bytes:
    parts = [body[at : at + 500] for at in range(0, len(body), 500)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@dataclass
class Proxy:
    """Passes connections on to the server, some of them through a toxic."""

    port: int
    toxic: Toxic = Toxic.NONE
    seed: int = 0
    always: bool = False
    hits: int = 0
    _number: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def strike(self, toxic: Toxic, seed: int = 0, *, always: bool = False) -> None:
        """Spoil connections from now on: each after the first, or by chance."""
        with self._lock:
            self.toxic, self.seed, self.always = toxic, seed, always
            self._number = 0
            self.hits = self.hits if toxic is Toxic.NONE else 0

    def next_toxic(self, request: bytes) -> tuple[Toxic, Random]:
        """What befalls the next connection; one that describes the table is left alone."""
        if b"DescribeTable" in request:
            return Toxic.NONE, Random(0)
        with self._lock:
            return self._drawn()

    def _drawn(self) -> tuple[Toxic, Random]:
        self._number += 1
        rng = Random(f"{self.seed}/{self.toxic}/{self._number}")
        free = self._number <= _SPARED or self.toxic is Toxic.NONE
        if free or not (self.always or self._number == _SPARED + 1 or rng.random() < 0.25):
            return Toxic.NONE, rng
        self.hits += 1
        return self.toxic, rng

    def pass_on(self, client: socket.socket) -> None:
        """One request and its reply."""
        with client, socket.create_connection(("127.0.0.1", self.port), timeout=5) as server:
            client.settimeout(5)
            request = _whole_request(client)
            toxic, rng = self.next_toxic(request)
            if toxic is Toxic.REFUSE:
                _reset(client)
                return
            server.sendall(request)
            reply = b"".join(iter(lambda: server.recv(65_536), b""))
            head = reply.index(b"\r\n\r\n") + 4
            _spoil(client, reply, (toxic, rng.randrange(head, len(reply)), rng.random() * 0.02))


def _spoil(client: socket.socket, reply: bytes, how: tuple[Toxic, int, float]) -> None:
    """Send a reply as the toxic has it: up to a place, after a while, or whole."""
    toxic, cut, jitter = how
    if toxic in {Toxic.LATE, Toxic.JITTER}:
        time.sleep(LATE if toxic is Toxic.LATE else jitter)
    if toxic in {Toxic.CUT, Toxic.RESET}:
        client.sendall(reply[:cut])
        if toxic is Toxic.RESET:
            _reset(client)
        return
    step = 97 if toxic is Toxic.SLICED else len(reply)
    for at in range(0, len(reply), step):
        client.sendall(reply[at : at + step])
    if toxic is Toxic.SLOW_CLOSE:
        time.sleep(LATE / 2)


def _reset(client: socket.socket) -> None:
    """Make closing send a reset, once what was sent has had time to arrive."""
    time.sleep(0.005)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _whole_request(client: socket.socket) -> bytes:
    """The bytes of one request with its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(client)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [int(line[15:]) for line in head.split(b"\r\n") if line[:15].lower() == _LENGTH]
    while len(body) < lengths[0]:
        body += _some(client)
    return head + b"\r\n\r\n" + body


_LENGTH = b"content-length:"


def _some(client: socket.socket) -> bytes:
    if data := client.recv(65_536):
        return data
    raise ConnectionError("the client closed before its request was whole")


def _serve(listener: socket.socket, proxy: Proxy) -> None:
    """Take connections until the listener is closed."""
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_quietly, args=(proxy, client), daemon=True).start()


def _quietly(proxy: Proxy, client: socket.socket) -> None:
    with suppress(OSError):
        proxy.pass_on(client)


@contextmanager
def served(model: ModelTable | ModelServer) -> Iterator[ModelServer]:
    """A model, or a server made of one, on loopback until the block ends."""
    server = model if isinstance(model, ModelServer) else ModelServer(model.answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def proxied(server: ModelServer) -> Iterator[tuple[Proxy, str]]:
    """A proxy in front of a server, and its endpoint, until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    proxy = Proxy(server.server_address[1])
    thread = threading.Thread(target=_serve, args=(listener, proxy))
    thread.start()
    try:
        yield proxy, f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
