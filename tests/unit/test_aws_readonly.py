"""A client sends only what its list names; who asks, and why one could not ask, is one line."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import exceptions as sdk
from moto.server import ThreadedMotoServer

from opskit.aws import (
    PROVISION_OPERATIONS,
    READ_OPERATIONS,
    SEED_OPERATIONS,
    Connection,
    access_error,
    caller_identity,
    dynamodb_client,
    service_error,
)
from opskit.errors import AccessError, CorruptResponseError, ReadError, WriteRefusedError
from tests.garbage_server import ITEM, Answer, garbage_server

ITEM_WRITES = {"PutItem", "BatchWriteItem"}
CLOSED = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own AWS configuration reaches a test."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """The endpoint of a real moto server."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def call_without_parameters(client: Any, operation: str) -> None:
    """Call an operation by its API name; what it needs is not even looked at."""
    names = {api: method for method, api in client.meta.method_to_api_mapping.items()}
    getattr(client, names[operation])()


def test_every_other_operation_is_refused_before_sending() -> None:
    """Of all operations of DynamoDB, those not on the list send nothing."""
    with garbage_server(Answer.SOUND) as server:
        client = dynamodb_client(Connection("us-east-1", server.url))
        every = set(client.meta.service_model.operation_names)
        refused = every - READ_OPERATIONS
        for operation in sorted(refused):
            with pytest.raises(WriteRefusedError, match=f"^{operation}: "):
                call_without_parameters(client, operation)
    assert every >= SEED_OPERATIONS
    assert len(refused) > 30
    assert server.received == []


def test_presigning_a_write_is_refused_too() -> None:
    """A write cannot leave as a signed URL either."""
    client = dynamodb_client(Connection("us-east-1", CLOSED))
    params = {"TableName": "books", "Item": ITEM}
    with pytest.raises(WriteRefusedError):
        client.generate_presigned_url("put_item", Params=params)


def test_listed_operations_change_nothing() -> None:
    """The read list holds reads only, by name; the plan's list adds two control-plane writes."""
    reads = ("BatchGet", "Describe", "Get", "List", "Query", "Scan")
    assert all(operation.startswith(reads) for operation in READ_OPERATIONS)
    assert {"CreateTable", "UpdateTimeToLive"} == PROVISION_OPERATIONS - READ_OPERATIONS
    assert SEED_OPERATIONS - PROVISION_OPERATIONS == ITEM_WRITES


def test_item_writes_need_a_loopback_endpoint() -> None:
    """A client that writes items cannot be made for another machine or for AWS."""
    for endpoint in (None, "https://dynamodb.eu-central-1.amazonaws.com"):
        with pytest.raises(WriteRefusedError, match="loopback"):
            dynamodb_client(Connection("eu-central-1", endpoint), allow=SEED_OPERATIONS)


@pytest.mark.parametrize("operation", ["DeleteTable", "DeleteItem", "UpdateItem", "RestoreTable"])
def test_nothing_deletes_or_replaces(operation: str) -> None:
    """No allow-list may name such an operation, on no endpoint."""
    with pytest.raises(WriteRefusedError, match=operation):
        dynamodb_client(Connection("us-east-1", CLOSED), allow={operation})


def test_deadlines_and_pool() -> None:
    """A client has deadlines, a connection per worker, and bounded retries."""
    config = dynamodb_client(Connection("us-east-1", CLOSED), workers=32).meta.config
    assert (config.connect_timeout, config.read_timeout) == (5, 20)
    assert config.max_pool_connections == 32
    assert config.retries == {"mode": "standard", "total_max_attempts": 5}
    assert config.parameter_validation is True


def test_clients_share_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making clients leaves no default session behind."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    dynamodb_client(Connection("us-east-1", CLOSED))
    assert boto3.DEFAULT_SESSION is None


def test_seeding_moto_and_reading_it_back(moto: str) -> None:
    """The guards let a real engine's replies through: create, write, get, scan, query."""
    client = dynamodb_client(Connection("us-east-1", moto), allow=SEED_OPERATIONS)
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    types = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
    client.create_table(
        TableName="books",
        KeySchema=keys,  # type: ignore[arg-type]
        AttributeDefinitions=types,  # type: ignore[arg-type]
        BillingMode="PAY_PER_REQUEST",
    )
    items = [ITEM | {"sk": {"S": f"PAY#{number}"}} for number in range(20)]
    requests = [{"PutRequest": {"Item": item}} for item in items]
    client.batch_write_item(RequestItems={"books": requests})  # type: ignore[dict-item]
    pages = list(client.get_paginator("scan").paginate(TableName="books", Limit=7))
    assert sum(page["Count"] for page in pages) == 20
    answer = client.query(
        TableName="books",
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        FilterExpression="sk <> :none",
        ExpressionAttributeValues={
            ":pk": ITEM["pk"],
            ":sk": {"S": "PAY#1"},
            ":none": {"S": "PAY#1"},
        },
    )
    assert answer["Count"] == 10
    assert client.scan(TableName="books", Select="COUNT")["Count"] == 20
    batch = client.batch_get_item(
        RequestItems={"books": {"Keys": [{"pk": ITEM["pk"], "sk": items[0]["sk"]}]}}
    )
    assert len(batch["Responses"]["books"]) == 1
    assert client.describe_time_to_live(TableName="books")["TimeToLiveDescription"]
    assert client.describe_continuous_backups(TableName="books")["ContinuousBackupsDescription"]


def test_identity_at_a_local_engine(moto: str) -> None:
    """A newcomer without credentials is told whose name the engine answers to."""
    identity = caller_identity(Connection(None, moto))
    assert identity.account == "123456789012"
    assert identity.principal is not None
    assert identity.principal.startswith("arn:aws:")
    assert identity.provider == "none needed (local engine)"


def test_identity_is_unknown_where_nobody_answers() -> None:
    """A loopback endpoint that answers no STS is no error and never leads to real AWS."""
    identity = caller_identity(Connection(None, CLOSED))
    assert (identity.account, identity.principal) == (None, None)


def test_credentials_of_the_environment_are_named(
    moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Configured credentials are used at a local engine as well."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    assert caller_identity(Connection(None, moto)).provider == "env"


def test_local_traffic_avoids_the_proxy(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment never sees what is meant for this machine."""
    monkeypatch.setenv("HTTP_PROXY", CLOSED)
    assert "TableNames" in dynamodb_client(Connection(None, moto)).list_tables()


def test_missing_things_are_access_errors() -> None:
    """No region, no profile and no credentials are each one line that says what to do."""
    with pytest.raises(AccessError, match="no region"):
        dynamodb_client(Connection())
    with pytest.raises(AccessError, match=r"profile: nobody; set AWS_PROFILE"):
        dynamodb_client(Connection("eu-central-1", profile="nobody"))
    with pytest.raises(AccessError, match="no credentials"):
        caller_identity(Connection("eu-central-1"))


def client_error(code: str, message: str = "no") -> sdk.ClientError:
    """An error as DynamoDB sends it."""
    return sdk.ClientError({"Error": {"Code": code, "Message": message}}, "Scan")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (client_error("ExpiredTokenException"), "expired: Scan; sign in again"),
        (client_error("UnrecognizedClientException"), "not valid here"),
        (
            client_error(
                "AccessDeniedException", "User: x is not authorized to perform: dynamodb:Scan on y"
            ),
            "not permitted: dynamodb:Scan",
        ),
        (sdk.EndpointConnectionError(endpoint_url=CLOSED), f"cannot connect: {CLOSED}"),
        (sdk.ReadTimeoutError(endpoint_url=CLOSED), "no reply in time"),
        (sdk.NoCredentialsError(), "no credentials"),
        (sdk.EndpointConnectionError(endpoint_url="http://a:b@c\x1b[2J"), r"http://c\x1b"),
    ],
)
def test_access_errors_are_one_line(error: Exception, said: str) -> None:
    """Each says what, which and what next, with nothing that acts on a terminal."""
    known = access_error(error)
    assert isinstance(known, AccessError)
    assert said in str(known)
    assert str(known).isprintable()


@pytest.mark.parametrize(
    "code", ["UnknownOperationException", "ResourceNotFoundException", "ThrottlingException"]
)
def test_what_is_not_about_access(code: str) -> None:
    """What DynamoDB answers about the request is no access error, yet still has one line."""
    assert access_error(client_error(code)) is None
    known = service_error(client_error(code))
    assert type(known) is ReadError
    assert code in str(known)


def test_corruption_is_not_about_access() -> None:
    """A corrupt reply keeps its own class."""
    assert access_error(CorruptResponseError("no")) is None
