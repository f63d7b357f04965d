"""Making clients: a fresh session each, read-only by default, with deadlines and guards."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Literal

from opskit.aws.access import access_errors
from opskit.aws.connection import Connection, is_loopback
from opskit.aws.integrity import install_guards
from opskit.aws.operations import (
    READ_OPERATIONS,
    S3_OPERATIONS,
    check_allowed,
    enforce_allow_list,
)
from opskit.aws.session import client_config, make_session

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from mypy_boto3_dynamodb import DynamoDBClient


def dynamodb_client(
    connection: Connection,
    *,
    allow: Collection[str] = READ_OPERATIONS,
    workers: int = 8,
    attempts: int = 5,
    retry_mode: Literal["legacy", "standard"] = "standard",
    raw_pages: bool = False,
) -> "DynamoDBClient":
    """Make a client that sends only what `allow` names and accepts only sound replies.

    `workers` threads may share it; `attempts` counts the first try too; with `raw_pages` the items
    of a page are `RawItems` where the SDK can leave them so. Raises WriteRefusedError
    for operations opskit does not send to such an endpoint, AccessError when the profile or the
    region is missing. The client itself raises WriteRefusedError, CorruptResponseError and the
    SDK's own errors (see `access_errors`).
    """
    check_allowed(allow, connection)
    config = client_config(connection, workers, attempts, retry_mode)
    with access_errors():
        session = make_session(connection, raw_pages=raw_pages)
        client = session.client("dynamodb", endpoint_url=connection.endpoint_url, config=config)
    enforce_allow_list(client.meta.events, "dynamodb", allow)
    install_guards(client.meta.events)
    return client


def reading_client(connection: Connection, *, workers: int = 8) -> "DynamoDBClient":
    """Make a client for `opskit.read`, which retries by itself and decodes pages by itself.

    The SDK's retry quota belongs to the client, so that a few throttled segments of a parallel
    scan would use up the retries of all others.
    """
    return dynamodb_client(connection, workers=workers, attempts=1, raw_pages=True)


def s3_client(connection: Connection, *, workers: int = 1) -> "BaseClient":
    """Make a client of S3 that only lists and reads objects.

    The connection's endpoint is S3's: for a loopback one nothing leaves this machine.
    """
    config = client_config(connection, workers, 5, "standard")
    if is_loopback(connection.endpoint_url):
        # A local engine has no names for buckets.
        from botocore.config import Config

        config = config.merge(Config(s3={"addressing_style": "path"}))
    with access_errors():
        session = make_session(connection)
        client: BaseClient = session.client(
            "s3", endpoint_url=connection.endpoint_url, config=config
        )
    enforce_allow_list(client.meta.events, "s3", S3_OPERATIONS)
    return client
