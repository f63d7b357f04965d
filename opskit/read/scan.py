"""A live billing table, or one account of it, read whole into a snapshot."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from opskit.aws import service_error
from opskit.errors import CorruptResponseError, InputError
from opskit.read.decode import decode_items
from opskit.read.manifest import Source, SourceKind
from opskit.read.snapshot import Snapshot, SnapshotWriter
from opskit.tables.items import USER_PREFIX, Layout

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TableIdentity:
    """What DescribeTable says of the table that is read; its id changes when it is recreated."""

    name: str
    arn: str
    table_id: str
    layout: Layout

    @property
    def account(self) -> str:
        """The AWS account of the ARN."""
        parts = self.arn.split(":")
        return parts[4] if len(parts) > 4 else ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a read: its items as a JSON array of DynamoDB items, and its cost."""

    items: bytes
    capacity_units: Decimal


def table_identity(client: Any, name: str) -> TableIdentity:
    """Describe the billing table; InputError when its keys are of neither layout."""
    table = _call(client.describe_table, TableName=name)["Table"]
    keys = [key["AttributeName"] for key in table["KeySchema"]]
    if keys not in (["pk", "sk"], ["user_sub", "sk"]):
        message = f"table {name} has the key {' + '.join(keys)}, which is neither billing layout"
        raise InputError(f"{message}; check BILLING_TABLE_NAME")
    return TableIdentity(
        name=name,
        arn=table.get("TableArn", ""),
        table_id=table.get("TableId", ""),
        layout=Layout(keys[0]),
    )


def scan_pages(client: Any, name: str, *, strong: bool = True) -> Iterator[Page]:
    """Every page of a scan in order; the end is the absence of LastEvaluatedKey, nothing else."""
    request = {"TableName": name, "ConsistentRead": strong, "ReturnConsumedCapacity": "TOTAL"}
    return _pages(client.scan, request)


def account_pages(client: Any, table: TableIdentity, account: str) -> Iterator[Page]:
    """Every page of one partition, strongly consistent."""
    request = {
        "TableName": table.name,
        "ConsistentRead": True,
        "ReturnConsumedCapacity": "TOTAL",
        "KeyConditionExpression": "#p = :p",
        "ExpressionAttributeNames": {"#p": table.layout.value},
        "ExpressionAttributeValues": {":p": {"S": account}},
    }
    return _pages(client.query, request)


def _pages(operation: Callable[..., Any], request: dict[str, Any]) -> Iterator[Page]:
    start: dict[str, Any] = {}
    seen = set()
    while True:
        answer = _call(operation, **request, **start)
        consumed = answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0)
        yield Page(msgspec.json.encode(answer["Items"]), Decimal(str(consumed)))
        if "LastEvaluatedKey" not in answer:
            return
        mark = msgspec.json.encode(answer["LastEvaluatedKey"], order="sorted")
        if mark in seen:
            raise CorruptResponseError("the pages loop: a LastEvaluatedKey came twice; read again")
        seen.add(mark)
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _call(operation: Callable[..., Any], **request: Any) -> Any:
    try:
        return operation(**request)
    except (BotoCoreError, ClientError) as error:
        raise service_error(error) from None


def snapshot_table(
    client: Any, name: str, out: Path, *, strong: bool = True, progress: Progress = lambda _: None
) -> Snapshot:
    """Read a whole table into a new snapshot's folder, or raise and leave no folder."""
    table = table_identity(client, name)
    pages = scan_pages(client, name, strong=strong)
    return _snapshot(client, table, pages, out, progress)


def snapshot_account(client: Any, name: str, account: str, out: Path) -> Snapshot:
    """Read one account's partition into a new snapshot; `account` is a user id or stored key."""
    table = table_identity(client, name)
    if table.layout is Layout.PK and not account.startswith(USER_PREFIX):
        account = f"{USER_PREFIX}{account}"
    return _snapshot(client, table, account_pages(client, table, account), out, lambda _: None)


def _snapshot(
    client: Any, table: TableIdentity, pages: Iterator[Page], out: Path, progress: Progress
) -> Snapshot:
    started = datetime.now(UTC)
    spent = Decimal(0)
    items = 0
    with SnapshotWriter(out) as writer:
        for page in pages:
            items += writer.write("0", decode_items(page.items, table.layout))
            spent += page.capacity_units
            progress(f"{table.name}: {items:,} items read")
        _require_same(table, table_identity(client, table.name))
        source = Source(
            kind=SourceKind.TABLE,
            name=table.name,
            arn=table.arn,
            table_id=table.table_id,
            account=table.account,
            consistency="strong",
        )
        ended = datetime.now(UTC)
        return writer.finish(source, started=started, ended=ended, capacity_units=str(spent))


def _require_same(before: TableIdentity, after: TableIdentity) -> None:
    if before != after:
        message = f"table {before.name} was replaced while it was read; read it again"
        raise CorruptResponseError(message)
