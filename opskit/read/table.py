"""The billing table as a read sees it: its identity, layout and approximate size."""

from dataclasses import dataclass
from typing import Any

from opskit.aws import service_error
from opskit.errors import CorruptResponseError, InputError
from opskit.read.patience import SDK_ERRORS, Patience
from opskit.tables.items import USER_PREFIX, Layout

_DESCRIBE = Patience(within=2.0)


@dataclass(frozen=True, slots=True)
class TableIdentity:
    """What DescribeTable says of the table that is read; its id changes when it is recreated.

    `items` and `size` (bytes) are up to six hours old on AWS: an estimate, never a check.
    """

    name: str
    arn: str
    table_id: str
    layout: Layout
    items: int = 0
    size: int = 0

    @property
    def account(self) -> str:
        """The AWS account of the ARN."""
        parts = self.arn.split(":")
        return parts[4] if len(parts) > 4 else ""

    @property
    def identity(self) -> tuple[str, str, str, Layout]:
        """What tells this table from another, or from itself recreated."""
        return self.name, self.arn, self.table_id, self.layout

    def partition(self, account: str) -> str:
        """The partition key value of an account given by its user id or by that value."""
        if self.layout is Layout.PK and not account.startswith(USER_PREFIX):
            return f"{USER_PREFIX}{account}"
        return account


def table_identity(client: Any, name: str, patience: Patience = _DESCRIBE) -> TableIdentity:
    """Describe the billing table; InputError when its keys are of neither layout."""
    try:
        table = patience.persist(lambda: client.describe_table(TableName=name))["Table"]
    except SDK_ERRORS as error:
        raise service_error(error) from None
    keys = [key["AttributeName"] for key in table["KeySchema"]]
    if keys not in (["pk", "sk"], ["user_sub", "sk"]):
        message = f"table {name} has the key {' + '.join(keys)}, which is neither billing layout"
        raise InputError(f"{message}; check BILLING_TABLE_NAME")
    return TableIdentity(
        name=name,
        arn=table.get("TableArn", ""),
        table_id=table.get("TableId", ""),
        layout=Layout(keys[0]),
        items=table.get("ItemCount", 0),
        size=table.get("TableSizeBytes", 0),
    )


def require_same(before: TableIdentity, after: TableIdentity) -> None:
    """Raise CorruptResponseError when the table is not the one that was read."""
    if before.identity != after.identity:
        message = f"table {before.name} was replaced while it was read; read it again"
        raise CorruptResponseError(message)
