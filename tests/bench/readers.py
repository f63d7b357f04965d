"""The ways to read a table that the benchmark compares; each runs in a process of its own.

`python -m tests.bench.readers NAME ENDPOINT` prints the items read, seconds and peak megabytes.
"""

import http.client
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TABLE = "books"
ACCESS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


def floor(endpoint: str) -> int:
    """Read the same bytes over HTTP and throw them away."""
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc)
    items, start = 0, None
    while True:
        key = {"ExclusiveStartKey": start} if start else {}
        head = {"X-Amz-Target": "DynamoDB_20120810.Scan"}
        connection.request("POST", "/", json.dumps({"TableName": TABLE, **key}), head)
        body = connection.getresponse().read()
        ends = body[-300:]
        items += int(ends.rpartition(b'"ScannedCount":')[2].rstrip(b"}"))
        mark = ends.rfind(b'"LastEvaluatedKey":')
        if mark < 0:
            return items
        start = json.loads(ends[mark + 19 : ends.rfind(b',"ScannedCount"')])


def _opskit(endpoint: str, **options: Any) -> int:
    from opskit.aws import Connection, reading_client
    from opskit.read.scan import ScanOptions, snapshot_table

    client = reading_client(Connection("us-east-1", endpoint))
    with tempfile.TemporaryDirectory() as folder:
        taken = snapshot_table(
            client, TABLE, Path(folder) / "snapshot", options=ScanOptions(**options)
        )
        assert taken.manifest.verdict == "COMPLETE"
        return taken.manifest.items


def opskit(endpoint: str) -> int:
    """A whole table to a verified snapshot on disk, one segment."""
    return _opskit(endpoint, segments=1)


def opskit_parallel(endpoint: str) -> int:
    """The same in four segments."""
    return _opskit(endpoint, segments=4)


def opskit_columns(endpoint: str) -> int:
    """Table to Arrow columns in memory order, without writing them to disk."""
    from opskit.aws import Connection, reading_client
    from opskit.read.gate import Gate
    from opskit.read.pages import Reading, read_pages
    from opskit.read.patience import Patience
    from opskit.tables.items import Layout

    client = reading_client(Connection("us-east-1", endpoint))
    reading = Reading(Layout.PK, Patience(), Gate(1))
    request = {"TableName": TABLE, "ConsistentRead": True}
    return sum(page.items for page in read_pages(client.scan, request, reading))


def boto3_client(endpoint: str) -> int:
    """The SDK's paginator: DynamoDB JSON as dictionaries, nothing converted."""
    import boto3

    client = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1", **ACCESS)
    pages = client.get_paginator("scan").paginate(TableName=TABLE)
    return sum(len(page["Items"]) for page in pages)


def boto3_resource(endpoint: str) -> int:
    """The SDK's resource: every attribute a Python value; one page at a time."""
    import boto3

    resource_ = boto3.resource("dynamodb", endpoint_url=endpoint, region_name="us-east-1", **ACCESS)
    table = resource_.Table(TABLE)
    items, key = 0, {}
    while True:
        page = table.scan(**key)
        items += len(page["Items"])
        if "LastEvaluatedKey" not in page:
            return items
        key = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _awswrangler(endpoint: str, threads: object) -> int:
    import awswrangler
    import boto3

    awswrangler.config.dynamodb_endpoint_url = endpoint
    session = boto3.Session(region_name="us-east-1", **ACCESS)
    frame = awswrangler.dynamodb.read_items(
        TABLE, allow_full_scan=True, use_threads=threads, boto3_session=session
    )
    return len(frame)


def awswrangler(endpoint: str) -> int:
    """awswrangler.dynamodb.read_items, serial: a pandas frame."""
    return _awswrangler(endpoint, threads=False)


def awswrangler_threads(endpoint: str) -> int:
    """The same with four threads."""
    return _awswrangler(endpoint, threads=4)


READERS: dict[str, Callable[[str], int]] = {
    reader.__name__: reader
    for reader in (
        floor,
        opskit_columns,
        opskit,
        opskit_parallel,
        boto3_client,
        boto3_resource,
        awswrangler,
        awswrangler_threads,
    )
}


NEEDS = {"opskit": ("boto3", "duckdb", "opskit.read.scan"), "boto3": ("boto3",)}


def warm(name: str) -> None:
    """Import what the reader needs before the clock starts."""
    library = name.partition("_")[0]
    for module in NEEDS.get(library, (library,) if library != "floor" else ()):
        import_module(module)


def main() -> None:
    """Read once and print what it took."""
    name, endpoint = sys.argv[1:]
    warm(name)
    began, busy = time.perf_counter(), time.process_time()
    items = READERS[name](endpoint)
    seconds = time.perf_counter() - began
    processor = time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answer = {"items": items, "seconds": seconds, "processor": processor, "megabytes": peak}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
