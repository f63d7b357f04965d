"""Pages of a scan or query, decoded and counted: asked for until sound, never twice the same."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from opskit.aws.integrity import RawItems
from opskit.aws.raw import plain_key, sendable_key
from opskit.errors import CorruptResponseError
from opskit.read.decode import decode_items
from opskit.read.gate import Gate
from opskit.read.manifest import Key
from opskit.read.patience import LoopError, Patience
from opskit.read.schema import Batches
from opskit.tables.items import Layout

Operation = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a read: its items as columns, its cost, and the key after which to go on.

    It is `checked` when it came with a checksum, which was then found to be right.
    """

    batches: Batches
    units: Decimal
    after: Key | None
    checked: bool = True

    @property
    def items(self) -> int:
        """How many items the page holds."""
        return sum(batch.num_rows for batch in self.batches.values())


@dataclass(frozen=True, slots=True)
class Reading:
    """What every page of one read shares; a `strict` one refuses a page without a checksum."""

    layout: Layout
    patience: Patience
    gate: Gate
    strict: bool = False


def read_pages(
    operation: Operation, request: Mapping[str, Any], reading: Reading, *, start: Key | None = None
) -> Iterator[Page]:
    """Every page in order; the end is the absence of LastEvaluatedKey, and nothing else.

    Raises the SDK's error or CorruptResponseError when a page cannot be had in time, and LoopError
    when a key to go on from comes again; the page that carries it is not given.
    """
    seen = {_mark(start)} if start else set()
    after = start
    while not reading.patience.stop.is_set():
        page = _persistently(operation, _from(request, after), reading)
        if page.after is not None:
            mark = _mark(page.after)
            if mark in seen:
                raise LoopError("the pages loop: a LastEvaluatedKey came twice; read again")
            seen.add(mark)
        yield page
        if page.after is None:
            return
        after = page.after


def _mark(key: Key) -> int:
    return hash(msgspec.json.encode(key, order="sorted"))


def _from(request: Mapping[str, Any], after: Key | None) -> dict[str, Any]:
    start = {"ExclusiveStartKey": sendable_key(after)} if after else {}
    return {**request, "ReturnConsumedCapacity": "TOTAL", **start}


def _persistently(operation: Operation, request: dict[str, Any], reading: Reading) -> Page:
    def attempt() -> Page:
        with reading.gate.turn(reading.patience):
            answer = operation(**request)
        page = _page(answer, reading.layout)
        if reading.strict and not page.checked:
            raise CorruptResponseError("a page came without the checksum that --strict wants")
        reading.gate.spend(page.units)
        return page

    return reading.patience.persist(attempt, throttled=reading.gate.slow_down)


def _page(answer: Mapping[str, Any], layout: Layout) -> Page:
    """A reply's items as columns; CorruptResponseError unless they are as many as it counts."""
    items = answer["Items"]
    array = items.array if isinstance(items, RawItems) else msgspec.json.encode(items)
    consumed = answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0)
    after = answer.get("LastEvaluatedKey")
    page = Page(
        decode_items(array, layout),
        Decimal(str(consumed)),
        None if after is None else plain_key(after),
        "x-amz-crc32" in answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}),
    )
    if page.items != answer["Count"]:
        message = f"{page.items} items came with Count {answer['Count']}; nothing of it is used"
        raise CorruptResponseError(message)
    return page
