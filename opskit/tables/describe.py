"""Live tables, read and put in the catalogue's own type.

Values that are AWS's to choose (warm throughput, sizes, counts, the TTL attribute of a TTL that
is off) are left out, so a difference from the catalogue is always somebody's decision.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from opskit.aws import access_error
from opskit.errors import AccessError
from opskit.tables.live import LiveTable, Presence, TtlStatus
from opskit.tables.spec import AttributeType, Index, Key, Projection, TableSpec

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ABSENT_CODES = frozenset({"ResourceNotFoundException", "ResourceNotFound"})
DENIED_CODES = frozenset({"AccessDeniedException", "AccessDenied"})
UNSUPPORTED_CODES = frozenset({"UnknownOperationException", "UnknownOperation"})


def error_code(error: ClientError) -> str:
    """The error code of a refusal, such as ResourceNotFoundException."""
    return str(error.response.get("Error", {}).get("Code", ""))


def error_text(error: ClientError) -> str:
    """The message of a refusal, "" when the endpoint gave none."""
    return str(error.response.get("Error", {}).get("Message") or "")


def describe_table(client: "DynamoDBClient", name: str) -> LiveTable:
    """Read one table: DescribeTable, and DescribeTimeToLive when it exists.

    Absent and unknown (permission missing) are values; anything else that keeps AWS from
    answering is an AccessError.
    """
    try:
        answer = client.describe_table(TableName=name)["Table"]
    except ClientError as error:
        return _undescribed(client, name, error)
    except BotoCoreError as error:
        raise _unreachable(client, name, error) from error
    try:
        ttl = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    except ClientError as error:
        return live_table(answer, _unread_ttl(client, name, error))
    except BotoCoreError as error:
        raise _unreachable(client, name, error) from error
    return live_table(answer, ttl)


def live_table(answer: Mapping[str, Any], ttl: Mapping[str, Any]) -> LiveTable:
    """Put DescribeTable's `Table` and a `TimeToLiveDescription` in the catalogue's words."""
    status = TtlStatus(ttl.get("TimeToLiveStatus", TtlStatus.DISABLED))
    on = status in {TtlStatus.ENABLED, TtlStatus.ENABLING}
    types = {a["AttributeName"]: a["AttributeType"] for a in answer["AttributeDefinitions"]}
    spec = TableSpec(
        name=answer["TableName"],
        key=_key(answer["KeySchema"], types),
        indexes=_indexes(answer, types),
        ttl_attribute=ttl.get("AttributeName") if on else None,
    )
    indexes = answer.get("GlobalSecondaryIndexes") or []
    return LiveTable(
        name=spec.name,
        presence=Presence.PRESENT,
        spec=spec,
        status=answer["TableStatus"],
        index_status={i["IndexName"]: i.get("IndexStatus", "ACTIVE") for i in indexes},
        ttl=status,
        missing=("dynamodb:DescribeTimeToLive",) if status is TtlStatus.UNKNOWN else (),
        arn=answer.get("TableArn", ""),
        table_id=answer.get("TableId", ""),
        billing_mode=answer.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        class_name=answer.get("TableClassSummary", {}).get("TableClass", "STANDARD"),
    )


def _key(schema: list[dict[str, str]], types: Mapping[str, str]) -> Key:
    """Read a key schema, tolerating the multi-attribute keys an index may have."""
    by_role = {
        role: [part["AttributeName"] for part in schema if part["KeyType"] == role]
        for role in ("HASH", "RANGE")
    }
    partition, sort = by_role["HASH"][:1], by_role["RANGE"][:1]
    further = [f"{name} ({role})" for role, names in by_role.items() for name in names[1:]]
    return Key(
        partition=partition[0] if partition else "",
        sort=sort[0] if sort else None,
        partition_type=AttributeType(types.get(partition[0], "S") if partition else "S"),
        sort_type=AttributeType(types.get(sort[0], "S") if sort else "S"),
        further=tuple(further),
    )


def _indexes(answer: Mapping[str, Any], types: Mapping[str, str]) -> tuple[Index, ...]:
    """Read both kinds of index, in the order of their names."""
    found = [
        _index(index, types, local=local)
        for kind, local in (("GlobalSecondaryIndexes", False), ("LocalSecondaryIndexes", True))
        for index in answer.get(kind) or []
    ]
    return tuple(sorted(found, key=lambda index: index.name))


def _index(index: Mapping[str, Any], types: Mapping[str, str], *, local: bool) -> Index:
    projection = index.get("Projection", {})
    return Index(
        name=index["IndexName"],
        key=_key(index["KeySchema"], types),
        projection=Projection(projection.get("ProjectionType", Projection.ALL)),
        included=frozenset(projection.get("NonKeyAttributes") or ()),
        local=local,
    )


def _undescribed(client: "DynamoDBClient", name: str, error: ClientError) -> LiveTable:
    code = error_code(error)
    if code in ABSENT_CODES:
        return LiveTable(name, Presence.ABSENT)
    if code in DENIED_CODES:
        return LiveTable(name, Presence.UNKNOWN, missing=("dynamodb:DescribeTable",))
    raise _refused(client, name, error) from error


def _unread_ttl(client: "DynamoDBClient", name: str, error: ClientError) -> dict[str, str]:
    """Say why TTL could not be read; a table too young or just deleted has none."""
    code = error_code(error)
    if code in DENIED_CODES:
        return {"TimeToLiveStatus": TtlStatus.UNKNOWN}
    if code in UNSUPPORTED_CODES:
        return {"TimeToLiveStatus": TtlStatus.UNSUPPORTED}
    if code in ABSENT_CODES:
        return {"TimeToLiveStatus": TtlStatus.DISABLED}
    raise _refused(client, name, error) from error


def _refused(client: "DynamoDBClient", name: str, error: ClientError) -> AccessError:
    code, text = error_code(error), error_text(error) or "no reason given"
    where = client.meta.endpoint_url
    if code in UNSUPPORTED_CODES:
        return AccessError(f"{where} does not know DescribeTable; is it a DynamoDB endpoint?")
    said = f"{where} refused to describe {name}: {code}: {text}; see `opskit doctor`"
    return access_error(error) or AccessError(said)


def _unreachable(client: "DynamoDBClient", name: str, error: BotoCoreError) -> AccessError:
    said = f"could not ask {client.meta.endpoint_url} about {name}: {error}; see `opskit doctor`"
    return access_error(error) or AccessError(said)
