"""The two control-plane writes, each told apart by what became of it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from opskit.provision.patience import Patience
from opskit.tables.describe import (
    ABSENT_CODES,
    DENIED_CODES,
    UNSUPPORTED_CODES,
    describe_table,
    error_code,
    error_text,
)
from opskit.tables.spec import Index, Key, TableSpec

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TimeToLiveSpecificationTypeDef

BUSY_CODES = frozenset(
    {
        "LimitExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "InternalServerError",
        "ServiceUnavailable",
    }
)


class Outcome(StrEnum):
    """What became of a write; ALREADY is that somebody else did it first."""

    DONE = "done"
    ALREADY = "already"
    UNSUPPORTED = "unsupported"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Written:
    """An outcome, and for REFUSED why and what next."""

    outcome: Outcome
    why: str = ""


def create_table(client: "DynamoDBClient", spec: TableSpec, patience: Patience) -> Written:
    """Send CreateTable, with its indexes in the same call, until it is accepted or refused.

    What somebody else made first (ALREADY) is not judged here.
    """

    def send() -> None:
        client.create_table(**creation(spec))

    refusal = _persist(send, patience, passing=BUSY_CODES)
    if refusal is None:
        return Written(Outcome.DONE)
    if error_code(refusal) == "ResourceInUseException":
        return Written(Outcome.ALREADY)
    return Written(Outcome.REFUSED, _why("CreateTable", refusal))


def enable_ttl(client: "DynamoDBClient", spec: TableSpec, patience: Patience) -> Written:
    """Send UpdateTimeToLive until it is accepted or refused, then read TTL back.

    A table just made may still be unknown to TTL, or busy with its other settings.
    """
    attribute = spec.ttl_attribute or ""

    def send() -> None:
        wanted: TimeToLiveSpecificationTypeDef = {"Enabled": True, "AttributeName": attribute}
        client.update_time_to_live(TableName=spec.name, TimeToLiveSpecification=wanted)

    passing = BUSY_CODES | ABSENT_CODES | {"ResourceInUseException"}
    refusal = _persist(send, patience, passing=passing)
    if refusal and error_code(refusal) in UNSUPPORTED_CODES:
        return Written(Outcome.UNSUPPORTED)
    if _ttl_is_on(client, spec):
        return Written(Outcome.ALREADY if refusal else Outcome.DONE)
    if refusal:
        return Written(Outcome.REFUSED, _why("UpdateTimeToLive", refusal))
    return Written(Outcome.REFUSED, "UpdateTimeToLive was accepted, yet TTL is off; plan again")


def _persist(
    send: Callable[[], None], patience: Patience, *, passing: Collection[str]
) -> ClientError | None:
    """Send until accepted (None), refused for good, or out of time; return the last refusal.

    While continuous backups start on a new table, the refusal's text asks to retry.
    """
    pauses = patience.pauses(patience.accepted_within)
    while True:
        try:
            send()
        except ClientError as error:
            passes = error_code(error) in passing or "retry" in error_text(error).lower()
            if passes and pauses.another():
                continue
            return error
        return None


def creation(spec: TableSpec) -> dict[str, Any]:
    """Spell a spec as CreateTable's arguments; TTL is not among them."""
    keys = [spec.key, *(index.key for index in spec.indexes)]
    types = {name: type_.value for key in keys for name, type_ in key.attributes}
    request: dict[str, Any] = {
        "TableName": spec.name,
        "KeySchema": _schema(spec.key),
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": type_} for name, type_ in types.items()
        ],
        "BillingMode": "PAY_PER_REQUEST",
    }
    if spec.indexes:
        request["GlobalSecondaryIndexes"] = [_index(index) for index in spec.indexes]
    return request


def _schema(key: Key) -> list[dict[str, str]]:
    roles = ("HASH", "RANGE")
    names = [name for name, _ in key.attributes]
    return [
        {"AttributeName": name, "KeyType": role} for name, role in zip(names, roles, strict=False)
    ]


def _index(index: Index) -> dict[str, Any]:
    projection: dict[str, Any] = {"ProjectionType": index.projection.value}
    if index.included:
        projection["NonKeyAttributes"] = sorted(index.included)
    return {
        "IndexName": index.name,
        "KeySchema": _schema(index.key),
        "Projection": projection,
    }


def _ttl_is_on(client: "DynamoDBClient", spec: TableSpec) -> bool:
    found = describe_table(client, spec.name).spec
    return found is not None and found.ttl_attribute == spec.ttl_attribute


def _why(operation: str, error: ClientError) -> str:
    code, text = error_code(error), error_text(error) or "no reason given"
    if code in DENIED_CODES:
        return f"the permission dynamodb:{operation} is missing: {text}"
    if "fixed interval" in text or "multiple times" in text:
        return f"TTL was changed within the last hour ({text}); apply again an hour later"
    if code in BUSY_CODES:
        return f"{operation} was put off until the deadline ({code}: {text}); apply again"
    return f"{operation} was refused: {code}: {text}"
