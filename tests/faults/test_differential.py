"""Differential: generated tables, read in many ways, equal the model and what the SDK reads."""

import json
from base64 import b64decode
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from engines import Engine

from opskit.aws import dynamodb_client, reading_client
from opskit.read.scan import ScanOptions, snapshot_table
from opskit.read.snapshot import Snapshot, require_complete
from tests.faults.items import Item, table_items
from tests.faults.model import TABLE, ModelTable, Reply, Request, json_reply
from tests.faults.oracle import fault_of, rows_of
from tests.faults.seam import NOWHERE, Seam

SEGMENTS = (1, 2, 3, 7, 16, 64)
PAGES = (1, 2, 3, 5, 10, 1_000)
TABLES = range(25)


@pytest.fixture(scope="module")
def seam() -> Seam:
    """One client of the product, answered in this process."""
    return Seam()


def generated(seed: int) -> list[Item]:
    """A table of none to 120 items."""
    rng = Random(f"differential {seed}")
    return table_items(rng, rng.choice((0, 1, 4, 20, 60, 120)))


def scanned(client: Any, segments: int, out: Path) -> Snapshot:
    """The table read whole in so many segments."""
    return require_complete(
        snapshot_table(client, TABLE, out, options=ScanOptions(segments=segments))
    )


@pytest.mark.parametrize("seed", TABLES)
def test_equals_the_model(seed: int, seam: Seam, tmp_path: Path) -> None:
    """Whatever the segments and the pages, every item of the model comes once, unaltered."""
    items = generated(seed)
    for place, segments in enumerate(SEGMENTS):
        size = PAGES[(seed + place) % len(PAGES)]
        seam.answer = ModelTable(items, page_items=size, key_on_last=seed % 2 == 0).answer
        snapshot = scanned(seam.client, segments, tmp_path / f"{segments}")
        assert not fault_of(snapshot, items), f"seed {seed}, {segments} segments, pages of {size}"
        assert sum(read.items for read in snapshot.manifest.segments.values()) == len(items)


def plain(value: Any) -> Any:
    """A deserialized value in a form that can be compared and counted."""
    if isinstance(value, dict):
        return tuple(sorted((name, plain(held)) for name, held in value.items()))
    if isinstance(value, list):
        return tuple(map(plain, value))
    return frozenset(map(plain, value)) if isinstance(value, set) else value


def deserialized(items: list[Any]) -> Counter[Any]:
    """Items of the SDK as its own deserializer reads them, with how often each came."""
    read = TypeDeserializer().deserialize
    return Counter(plain({name: read(value) for name, value in item.items()}) for item in items)


def keys(snapshot: Snapshot) -> Counter[Any]:
    """The keys of a snapshot, with how often each is there."""
    return Counter(held.key for held in rows_of(snapshot))


@pytest.mark.parametrize("seed", range(6))
def test_equals_the_sdk(seed: int, seam: Seam, tmp_path: Path) -> None:
    """The SDK's paginator and deserializer bring the items that the snapshot holds."""
    items = generated(seed)
    model = ModelTable(items, page_items=PAGES[seed % len(PAGES)])
    other = Seam(model.answer)
    other.client = dynamodb_client(NOWHERE)
    other.client.meta.events.register("before-send.dynamodb", other._send)
    found = other.client.get_paginator("scan").paginate(TableName=TABLE).build_full_result()
    seam.answer = model.answer
    snapshot = scanned(seam.client, SEGMENTS[seed % len(SEGMENTS)], tmp_path / "s")
    assert deserialized(found["Items"]) == deserialized([_sdk_item(item) for item in items])
    assert keys(snapshot) == Counter((i["pk"]["S"], i["sk"]["S"]) for i in found["Items"])


def _sdk_item(item: Item) -> Any:
    """An item in the form in which the SDK gives it: binary as bytes."""
    return _with_bytes({"M": item})["M"]


def _with_bytes(value: dict[str, Any]) -> dict[str, Any]:
    [(tag, held)] = value.items()
    if tag == "M":
        return {"M": {name: _with_bytes(inner) for name, inner in held.items()}}
    if tag == "L":
        return {"L": [_with_bytes(inner) for inner in held]}
    if tag == "B":
        return {"B": b64decode(held)}
    return {"BS": [b64decode(one) for one in held]} if tag == "BS" else value


def _create(engine: Engine, items: list[Item]) -> None:
    """The generated table in a real engine."""
    client = engine.client()
    schema = [("pk", "HASH"), ("sk", "RANGE")]
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in schema],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in schema],
        BillingMode="PAY_PER_REQUEST",
    )
    waiter = client.get_waiter("table_exists")
    waiter.wait(TableName=TABLE, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
    for item in items:
        client.put_item(TableName=TABLE, Item=_sdk_item(item))


def test_engines(empty_engine: Engine, tmp_path: Path) -> None:
    """Each real engine's table comes whole in every number of segments, as its SDK reads it."""
    text = json.dumps(table_items(Random("engines"), 80))
    items = json.loads(text.replace('{"S": ""}', '{"S": "-"}'))  # old engines take no empty text
    _create(empty_engine, items)
    plainly = empty_engine.client()
    found = plainly.get_paginator("scan").paginate(TableName=TABLE).build_full_result()["Items"]
    expected = Counter((item["pk"]["S"], item["sk"]["S"]) for item in found)
    assert len(expected) == len(items)
    client = reading_client(empty_engine.connection)
    exact = [item for item in items if item["sk"]["S"][:3] != "ODD"]
    for segments in SEGMENTS:
        snapshot = scanned(client, segments, tmp_path / f"{segments}")
        assert keys(snapshot) == expected, f"{segments} segments"
        rows = {held.key: held for held in rows_of(snapshot)}
        wrong = [i for i in exact if not rows[i["pk"]["S"], i["sk"]["S"]].is_(i)]
        assert not wrong, f"{segments} segments: {wrong[:1]}"


def test_the_limit(seam: Seam, tmp_path: Path) -> None:
    """A reply that skips items, sound in every other way, is beyond any one read: two tell it.

    With a valid checksum and plausible counts a key that lies further on than the page's last item
    cannot be told from an honest one; a second read with another number of segments shows it.
    """
    items = table_items(Random("limit"), 60)
    model = ModelTable(items, page_items=5)

    def answer(operation: str, request: Request) -> Reply:
        start = request.get("ExclusiveStartKey")
        reply = model.answer(operation, request)
        document = json.loads(reply.body)
        if start or request.get("TotalSegments") or "LastEvaluatedKey" not in document:
            return reply
        request = {**request, "ExclusiveStartKey": document["LastEvaluatedKey"]}
        further = json.loads(model.answer(operation, request).body)
        return json_reply({**document, "LastEvaluatedKey": further["LastEvaluatedKey"]})

    seam.answer = answer
    one = scanned(seam.client, 1, tmp_path / "one")
    two = scanned(seam.client, 2, tmp_path / "two")
    assert len(keys(two) - keys(one)) == 5
    assert not fault_of(two, items)
