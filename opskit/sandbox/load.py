"""Filling a sandbox: the nine tables, then sample books."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

from opskit.aws import SEED_OPERATIONS, dynamodb_client
from opskit.errors import SandboxError
from opskit.provision.apply import Applied, apply_plan
from opskit.provision.plan import plan
from opskit.sandbox.environment import sandbox_connection, sandbox_settings
from opskit.sandbox.items import Item
from opskit.sandbox.seed import Books
from opskit.tables.catalog import catalogue
from opskit.tables.items import Layout

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import WriteRequestUnionTypeDef

BATCH = 25
"""The most items BatchWriteItem takes."""

LOADERS = 4
LOAD_ATTEMPTS = 8

Progress = Callable[[str], None]
Requests = Mapping[str, Sequence["WriteRequestUnionTypeDef"]]


def _silent(message: str) -> None:
    del message


def make_tables(
    client: "DynamoDBClient", endpoint_url: str, *, layout: Layout = Layout.PK
) -> Applied:
    """Plan and apply the nine tables; SandboxError when one could not be made."""
    wanted = catalogue(sandbox_settings(endpoint_url, layout=layout))
    applied = apply_plan(client, plan(client, wanted))
    if applied.failures or applied.remaining.conflicts:
        first = next((f"{f.name}: {f.why}" for f in applied.failures), "a table is in the way")
        raise SandboxError(f"the tables could not be made: {first}; start an empty sandbox")
    return applied


def load(
    client: "DynamoDBClient",
    table_names: Mapping[str, str],
    books: Books,
    progress: Progress = _silent,
) -> int:
    """Write every item of the books to its table and return how many there were."""
    for logical, items in books.items.items():
        batches = list(_batches(table_names[logical], items))
        with ThreadPoolExecutor(LOADERS, thread_name_prefix="opskit-load") as pool:
            list(pool.map(lambda batch: _write(client, batch), batches))
        progress(f"{logical}: {len(items):,} items")
    return books.count


def fill_sandbox(endpoint_url: str, books: Books, *, progress: Progress = _silent) -> int:
    """Make the nine tables of a sandbox and load the books into them."""
    client = seeding_client(endpoint_url)
    make_tables(client, endpoint_url, layout=books.layout)
    names = sandbox_settings(endpoint_url).table_names
    return load(client, names, books, progress)


def seeding_client(endpoint_url: str) -> "DynamoDBClient":
    """A client that may write items; only an endpoint on this machine is given one."""
    return dynamodb_client(sandbox_connection(endpoint_url), allow=SEED_OPERATIONS)


def _batches(table: str, items: Sequence[Item]) -> Iterator[Requests]:
    for start in range(0, len(items), BATCH):
        puts = [{"PutRequest": {"Item": held}} for held in items[start : start + BATCH]]
        yield {table: cast("Sequence[WriteRequestUnionTypeDef]", puts)}


def _write(client: "DynamoDBClient", batch: Requests) -> None:
    """Send one batch, and again what came back unprocessed, ever more slowly."""
    left: Requests = batch
    for attempt in range(LOAD_ATTEMPTS):
        left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]
        if not left:
            return
        time.sleep(0.05 * 2**attempt)
    table = next(iter(left))
    raise SandboxError(f"{table}: items stay unprocessed after {LOAD_ATTEMPTS} tries; try again")
