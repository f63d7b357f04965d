"""Accounts read whole by their partitions, strongly consistent; and items by their keys."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from opskit.aws import service_error
from opskit.errors import CorruptResponseError, IncompleteReadError, OpskitError, ReadError
from opskit.read.crew import work_through
from opskit.read.decode import decode_items
from opskit.read.gate import Gate
from opskit.read.manifest import Source, SourceKind
from opskit.read.pages import Page, Reading, read_pages
from opskit.read.patience import SDK_ERRORS, Patience
from opskit.read.schema import Batches
from opskit.read.snapshot import Snapshot, SnapshotWriter
from opskit.read.table import TableIdentity, require_same, table_identity

BATCH_KEYS = 100
"""The most keys DynamoDB takes in one BatchGetItem."""


def account_pages(
    client: Any, table: TableIdentity, account: str, patience: Patience | None = None
) -> Iterator[Page]:
    """Every page of one partition, strongly consistent; `account` is its key value as stored."""
    try:
        reading = Reading(table.layout, patience or Patience(), Gate(1))
        yield from _pages(client, table, account, reading)
    except SDK_ERRORS as error:
        raise service_error(error) from None


def _pages(client: Any, table: TableIdentity, account: str, reading: Reading) -> Iterator[Page]:
    request = {
        "TableName": table.name,
        "ConsistentRead": True,
        "KeyConditionExpression": "#p = :p",
        "ExpressionAttributeNames": {"#p": table.layout.value},
        "ExpressionAttributeValues": {":p": {"S": account}},
    }
    return read_pages(client.query, request, reading)


def snapshot_account(
    client: Any, name: str, account: str, out: Path, *, patience: Patience | None = None
) -> Snapshot:
    """Read one account's partition into a new snapshot, or raise and leave no folder.

    `account` is a user id or the partition key value as stored.
    """
    table = table_identity(client, name)
    partition = table.partition(account)
    started = datetime.now(UTC)
    reading = Reading(table.layout, patience or Patience(), Gate(1))
    with SnapshotWriter(out) as writer:
        try:
            for page in _pages(client, table, partition, reading):
                writer.write(partition, page.batches, resume=page.after, checked=page.checked)
        except SDK_ERRORS as error:
            raise service_error(error) from None
        return _finish(client, table, writer, (started, partition, reading.gate.spent))


def read_accounts(
    client: Any,
    table: TableIdentity,
    accounts: Iterable[str],
    out: Path,
    *,
    options: "AccountOptions | None" = None,
) -> Snapshot:
    """Read many accounts' partitions side by side into a new snapshot.

    It is PARTIAL when some could not be read to their end, and names them.
    """
    options = options or AccountOptions()
    started = datetime.now(UTC)
    gate = Gate(options.workers, options.read_units)
    reading = Reading(table.layout, options.patience, gate)
    partitions = list(dict.fromkeys(table.partition(account) for account in accounts))
    with SnapshotWriter(out) as writer:
        for partition in partitions:
            writer.begin(partition)

        def work(partition: str) -> None:
            for page in _pages(client, table, partition, reading):
                writer.write(partition, page.batches, resume=page.after, checked=page.checked)

        failures = work_through(
            partitions, work, workers=options.workers, patience=options.patience
        )
        missing = tuple(
            f"account {name}: {_named(failures[name]) if name in failures else 'not read'}"
            for name, segment in writer.segments.items()
            if not segment.done
        )
        listed = ", ".join(partitions[:20]) + (", ..." if len(partitions) > 20 else "")
        return _finish(client, table, writer, (started, listed, gate.spent), missing)


@dataclass(frozen=True, slots=True)
class AccountOptions:
    """How many accounts are read at a time, and at what pace."""

    workers: int = 8
    read_units: float | None = None
    patience: Patience = field(default_factory=Patience)


def _named(error: Exception) -> OpskitError:
    return error if isinstance(error, ReadError) else service_error(error)


def _finish(
    client: Any,
    table: TableIdentity,
    writer: SnapshotWriter,
    facts: tuple[datetime, str, Decimal],
    missing: tuple[str, ...] = (),
) -> Snapshot:
    """The snapshot of partitions, once the table is found to be the one that was read."""
    started, partition, spent = facts
    require_same(table, table_identity(client, table.name))
    source = Source(
        kind=SourceKind.TABLE,
        name=table.name,
        arn=table.arn,
        table_id=table.table_id,
        account=table.account,
        consistency="strong",
        partition=partition,
    )
    ended = datetime.now(UTC)
    return writer.finish(
        source, started=started, ended=ended, capacity_units=str(spent), missing=missing
    )


@dataclass(frozen=True, slots=True)
class FoundItems:
    """The items that keys led to, one page of columns per request, and the keys that led to none.

    A key is a pair of the partition key value and the sort key.
    """

    pages: tuple[Batches, ...]
    absent: frozenset[tuple[str, str]]


def items_by_key(
    client: Any,
    table: TableIdentity,
    keys: Iterable[tuple[str, str]],
    *,
    patience: Patience | None = None,
) -> FoundItems:
    """Read items by their keys, strongly consistent: every key asked is found or absent.

    Raises IncompleteReadError naming keys that DynamoDB left unprocessed beyond the deadline.
    """
    asked = list(dict.fromkeys(keys))
    patience = patience or Patience()
    pages: list[Batches] = []
    found: set[tuple[str, str]] = set()
    for start in range(0, len(asked), BATCH_KEYS):
        for items in _answers(client, table, asked[start : start + BATCH_KEYS], patience):
            here = [(item[table.layout.value]["S"], item["sk"]["S"]) for item in items]
            if len(set(here)) != len(here) or not found.isdisjoint(here):
                raise CorruptResponseError("BatchGetItem: a key was answered twice; read again")
            found.update(here)
            pages.append(decode_items(msgspec.json.encode(items), table.layout))
    if not found.issubset(asked):
        raise CorruptResponseError("BatchGetItem: a key came that was not asked for; read again")
    return FoundItems(tuple(pages), frozenset(asked) - found)


def _answers(
    client: Any, table: TableIdentity, keys: Sequence[tuple[str, str]], patience: Patience
) -> Iterator[list[Any]]:
    """The items of each reply until no key is left unprocessed."""
    left = [{table.layout.value: {"S": account}, "sk": {"S": sk}} for account, sk in keys]
    deadline: float | None = None
    pause = patience.first_pause
    while left:
        request = {table.name: {"Keys": left, "ConsistentRead": True}}
        answer = _ask(client, request, patience)
        yield answer["Responses"].get(table.name, [])
        after = answer["UnprocessedKeys"].get(table.name, {}).get("Keys", [])
        now = patience.clock()
        deadline = now + patience.within if deadline is None or len(after) < len(left) else deadline
        if after and (now >= deadline or patience.stop.is_set()):
            named = ", ".join(key["sk"]["S"] for key in after[:5])
            message = f"{len(after)} keys stay unprocessed, such as {named}; ask again later"
            raise IncompleteReadError(message)
        left = after
        if left:
            patience.wait(patience.rng.uniform(pause / 2, pause))
            pause = min(pause * 2, patience.longest_pause)


def _ask(client: Any, request: dict[str, Any], patience: Patience) -> Any:
    try:
        return patience.persist(lambda: client.batch_get_item(RequestItems=request))
    except SDK_ERRORS as error:
        raise service_error(error) from None
