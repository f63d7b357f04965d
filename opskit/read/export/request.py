"""Asking DynamoDB for an export, and how far it is."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from opskit.aws import service_error
from opskit.errors import InputError, OpskitError, ReadError
from opskit.read.patience import SDK_ERRORS
from opskit.read.progress import Progress, say_nothing

SHORTEST = timedelta(minutes=15)
LONGEST = timedelta(hours=24)
"""The windows that DynamoDB exports the changes of."""

_WHY = {
    "PointInTimeRecoveryUnavailableException": "point-in-time recovery is off; turn it on first",
    "InvalidExportTimeException": "the instant is outside what point-in-time recovery holds",
    "ExportConflictException": "another export was asked for with this token in the last 8 hours",
    "ExportNotFoundException": "there is no such export, or it is over 90 days old",
    "LimitExceededException": "too many exports are running; wait for one to end",
    "TableNotFoundException": "there is no such table",
    "ValidationException": "DynamoDB refused the request",
}


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """An export to ask for: with `since` the changes from then until `until`, else the table.

    Without `until` a full export is of now.
    """

    table_arn: str
    bucket: str
    prefix: str
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.since is None:
            return
        if self.until is None:
            raise InputError("an incremental export has a window; give --from and --to")
        if not SHORTEST <= self.until - self.since <= LONGEST:
            raise InputError("--from to --to is not between 15 minutes and 24 hours")

    def parameters(self) -> dict[str, Any]:
        """The request's parameters; the token is made from them, so asking twice exports once."""
        known: dict[str, Any] = {
            "TableArn": self.table_arn,
            "S3Bucket": self.bucket,
            "ExportFormat": "DYNAMODB_JSON",
            "ExportType": "FULL_EXPORT" if self.since is None else "INCREMENTAL_EXPORT",
        }
        if self.prefix:
            known["S3Prefix"] = self.prefix
        if self.since is not None:
            known["IncrementalExportSpecification"] = {
                "ExportFromTime": self.since,
                "ExportToTime": self.until,
                "ExportViewType": "NEW_AND_OLD_IMAGES",
            }
        elif self.until is not None:
            known["ExportTime"] = self.until
        text = json.dumps(known, sort_keys=True, default=_spelled)
        return known | {"ClientToken": f"opskit-{hashlib.sha256(text.encode()).hexdigest()[:32]}"}


def _spelled(value: object) -> str:
    assert isinstance(value, datetime)
    return value.astimezone(UTC).isoformat()


@dataclass(frozen=True, slots=True)
class ExportState:
    """How far an export is, and of what; `items` is not known before it ends."""

    arn: str
    status: str
    started: datetime | None = None
    since: datetime | None = None
    until: datetime | None = None
    items: int | None = None
    address: str = ""
    failure: str = ""

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.status == "IN_PROGRESS"

    @property
    def completed(self) -> bool:
        """Whether it ended well."""
        return self.status == "COMPLETED"


def start_export(client: Any, request: ExportRequest) -> ExportState:
    """Ask for an export; the client's allow-list is EXPORT_OPERATIONS."""
    return _asked(lambda: client.export_table_to_point_in_time(**request.parameters()))


def export_state(client: Any, arn: str) -> ExportState:
    """How far an export is."""
    return _asked(lambda: client.describe_export(ExportArn=arn))


def table_exports(client: Any, table_arn: str) -> list[ExportState]:
    """The table's exports of the last 90 days, the latest last."""
    arns: list[str] = []
    request = {"TableArn": table_arn}
    try:
        while True:
            page = client.list_exports(**request)
            arns += [str(summary["ExportArn"]) for summary in page["ExportSummaries"]]
            if not page.get("NextToken"):
                break
            request["NextToken"] = page["NextToken"]
    except SDK_ERRORS as error:
        raise _named(error) from None
    return [export_state(client, arn) for arn in sorted(arns)]


def await_export(
    client: Any,
    arn: str,
    *,
    within: float,
    every: float = 30.0,
    progress: Progress = say_nothing,
    sleep: Callable[[float], None] = time.sleep,
) -> ExportState:
    """The state an export ended in, or the one it is in after `within` seconds."""
    waited = 0.0
    while (state := export_state(client, arn)).running and waited < within:
        progress(f"{arn.rpartition('/')[2]}: {state.status}, waited {waited:,.0f} s")
        pause = min(every, within - waited)
        sleep(pause)
        waited += pause
    return state


def _asked(ask: Callable[[], Mapping[str, Any]]) -> ExportState:
    try:
        return _state(ask()["ExportDescription"])
    except SDK_ERRORS as error:
        raise _named(error) from None


def _named(error: Exception) -> OpskitError:
    response = getattr(error, "response", {}).get("Error", {})
    why = _WHY.get(str(response.get("Code")))
    if why is None:
        return service_error(error)
    said = " ".join(str(response.get("Message", "")).split())[:200]
    return ReadError(f"{getattr(error, 'operation_name', 'the request')}: {why} ({said})")


def _state(told: Mapping[str, Any]) -> ExportState:
    window = told.get("IncrementalExportSpecification") or {}
    arn = str(told["ExportArn"])
    parts = (told.get("S3Bucket", ""), told.get("S3Prefix") or "", "AWSDynamoDB")
    folder = "/".join(part.strip("/") for part in (*parts, arn.rpartition("/")[2]) if part)
    failure = (told.get("FailureCode"), told.get("FailureMessage"))
    return ExportState(
        arn=arn,
        status=str(told["ExportStatus"]),
        started=told.get("StartTime"),
        since=window.get("ExportFromTime"),
        until=window.get("ExportToTime") or told.get("ExportTime"),
        items=told.get("ItemCount"),
        address=f"s3://{folder}",
        failure=": ".join(str(part) for part in failure if part),
    )
