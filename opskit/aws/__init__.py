"""The one place that makes AWS clients, and decides what they may send and accept.

Nothing of the SDK is imported before a client is asked for.
"""

from opskit.aws.access import (
    Identity,
    access_error,
    access_errors,
    caller_identity,
    service_error,
)
from opskit.aws.client import dynamodb_client, reading_client, s3_client
from opskit.aws.connection import Connection, is_loopback
from opskit.aws.operations import (
    EXPORT_OPERATIONS,
    PROVISION_OPERATIONS,
    READ_OPERATIONS,
    SEED_OPERATIONS,
)

__all__ = [
    "EXPORT_OPERATIONS",
    "PROVISION_OPERATIONS",
    "READ_OPERATIONS",
    "SEED_OPERATIONS",
    "Connection",
    "Identity",
    "access_error",
    "access_errors",
    "caller_identity",
    "dynamodb_client",
    "is_loopback",
    "reading_client",
    "s3_client",
    "service_error",
]
