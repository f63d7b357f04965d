"""The seam before sending: replies made in this process go through the SDK's parser and retries."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSResponse, HeadersDict

from opskit.aws import Connection, reading_client
from tests.faults.model import Reply, Request

Answer = Callable[[str, Request], Reply]
NOWHERE = Connection("us-east-1", "http://127.0.0.1:9")


class _Raw(BytesIO):
    """What the SDK reads a body from."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        """The body in one piece, if there is one."""
        if body := self.read():
            yield body


@dataclass
class Seam:
    """A client of the product whose every request is answered here; nothing leaves the process."""

    answer: Answer | None = None
    client: Any = field(init=False)

    def __post_init__(self) -> None:
        self.client = reading_client(NOWHERE)
        self.client.meta.events.register("before-send.dynamodb", self._send)

    def _send(self, request: Any, **_: object) -> AWSResponse:
        target = request.headers["X-Amz-Target"]
        name = (target if isinstance(target, str) else target.decode()).rpartition(".")[2]
        assert self.answer is not None
        reply = self.answer(name, json.loads(request.body))
        headers = HeadersDict(reply.headers)
        return AWSResponse(request.url, reply.status, headers, _Raw(reply.body))
