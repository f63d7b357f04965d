"""One request as the injector sees it, and the pages that a read of a table will ask for."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

from tests.faults.items import ACCOUNT
from tests.faults.model import TABLE, ModelTable, Reply, Request, json_reply


class Way(StrEnum):
    """A way to read."""

    SERIAL = "serial scan"
    PARALLEL = "parallel scan"
    QUERY = "query"


SEGMENTS = {Way.SERIAL: 1, Way.PARALLEL: 8}
Mark = str
"""What tells one page's request from another: its segment and the key it goes on from."""


def mark_of(request: Request) -> Mark:
    """The mark of a request for a page."""
    return json.dumps([request.get("Segment", 0), request.get("ExclusiveStartKey")], sort_keys=True)


@dataclass(frozen=True)
class Call:
    """One request: the model that is asked, which try it is, and what chance the seed gives it."""

    operation: str
    request: Request
    model: ModelTable
    attempt: int
    now: float
    chance: Random
    marks: tuple[Mark, ...] = ()

    def reply(self) -> Reply:
        """The sound reply."""
        return self.model.answer(self.operation, self.request)

    def changed(self, change: Callable[[dict[str, Any]], None]) -> Reply:
        """The sound reply with its document changed, and the checksum right again."""
        document = json.loads(self.reply().body)
        change(document)
        return json_reply(document)


def first_requests(way: Way) -> Iterator[Request]:
    """The request each segment, or the account, begins with."""
    if way is Way.QUERY:
        yield {"TableName": TABLE, "ExpressionAttributeValues": {":p": {"S": ACCOUNT}}}
        return
    total = SEGMENTS[way]
    for segment in range(total):
        yield {"TableName": TABLE, "Segment": segment, "TotalSegments": total}


def page_marks(model: ModelTable, way: Way) -> list[Mark]:
    """The mark of every page a sound read asks for, in order, segment by segment."""
    marks = []
    operation = "Query" if way is Way.QUERY else "Scan"
    for first in first_requests(way):
        request: dict[str, Any] = dict(first)
        while True:
            marks.append(mark_of(request))
            after = json.loads(model.answer(operation, request).body).get("LastEvaluatedKey")
            if after is None:
                break
            request["ExclusiveStartKey"] = after
    return marks
