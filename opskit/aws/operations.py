"""Which operations a client may send: lists of API operation names, enforced before sending."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from opskit.aws.connection import Connection, is_loopback
from opskit.errors import WriteRefusedError

if TYPE_CHECKING:
    from botocore.hooks import BaseEventHooks
    from botocore.model import OperationModel

READ_OPERATIONS = frozenset(
    {
        "BatchGetItem",
        "DescribeContinuousBackups",
        "DescribeEndpoints",
        "DescribeExport",
        "DescribeLimits",
        "DescribeTable",
        "DescribeTimeToLive",
        "GetItem",
        "GetResourcePolicy",
        "ListExports",
        "ListTables",
        "ListTagsOfResource",
        "Query",
        "Scan",
    }
)
"""What a client may send by default: none of these changes anything."""

PROVISION_OPERATIONS = READ_OPERATIONS | {"CreateTable", "UpdateTimeToLive"}
"""What applying a plan needs besides reading; nothing here deletes or replaces."""

EXPORT_OPERATIONS = READ_OPERATIONS | {"ExportTableToPointInTime"}
"""What starting an export needs: the one more writes to a bucket, never to a table."""

S3_OPERATIONS = frozenset({"GetObject", "ListObjectsV2"})
"""What a client of S3 may send."""

SEED_OPERATIONS = PROVISION_OPERATIONS | {"BatchWriteItem", "PutItem"}
"""What filling a local sandbox needs; a client takes these for a loopback endpoint only."""


def check_allowed(allow: Collection[str], connection: Connection) -> None:
    """Raise WriteRefusedError unless opskit ever sends these operations to such an endpoint."""
    never = sorted(set(allow) - SEED_OPERATIONS - EXPORT_OPERATIONS)
    if never:
        raise WriteRefusedError(f"{', '.join(never)}: opskit never sends this; nothing was sent")
    beyond = sorted(set(allow) - PROVISION_OPERATIONS - EXPORT_OPERATIONS)
    if beyond and not is_loopback(connection.endpoint_url):
        listed = ", ".join(beyond)
        raise WriteRefusedError(
            f"{listed}: items are only written to a sandbox; give a loopback endpoint"
        )


def enforce_allow_list(events: "BaseEventHooks", service: str, allow: Collection[str]) -> None:
    """Make a client refuse every operation that is not on the list, before anything is sent."""
    allowed = frozenset(allow)

    def refuse(model: "OperationModel", **_: object) -> None:
        if model.name not in allowed:
            message = f"{model.name}: this client may not send it; nothing was sent"
            raise WriteRefusedError(f"{message} (writing takes `opskit apply`, which plans first)")

    # The first event comes before the parameters are looked at, the second just before sending,
    # where a call that skipped the first still has to pass.
    for event in ("provide-client-params", "before-call"):
        events.register_first(f"{event}.{service}", refuse)
