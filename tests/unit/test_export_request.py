"""Asking for an export: what is refused, what is sent, and what its answers are told as."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from exports import EXPORT_TIME, TABLE_ARN

from opskit.errors import AccessError, InputError, OpskitError, ReadError
from opskit.read.export.request import ExportRequest, await_export, export_state, start_export

ARN = f"{TABLE_ARN}/export/01790000000000-a1b2c3d4"
START = datetime(2026, 11, 20, tzinfo=UTC)


def request(**given: Any) -> ExportRequest:
    """A request to one bucket."""
    return ExportRequest(TABLE_ARN, "bucket", "prefix", **given)


class Asked:
    """A client that answers with one description after another and keeps what it was sent."""

    def __init__(self, *answers: dict[str, Any] | Exception) -> None:
        self.answers = list(answers)
        self.sent: list[dict[str, Any]] = []

    def describe_export(self, **sent: Any) -> dict[str, Any]:
        """The next answer."""
        self.sent.append(sent)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"ExportDescription": {"ExportArn": ARN, "S3Bucket": "bucket"} | answer}

    export_table_to_point_in_time = describe_export


def test_the_same_request_has_the_same_token() -> None:
    """Asked twice it exports once; anything else about it makes another token."""
    tokens = [
        one.parameters()["ClientToken"]
        for one in (
            request(),
            request(until=START),
            request(until=START + timedelta(days=1)),
            request(since=START, until=START + timedelta(hours=1)),
            ExportRequest(TABLE_ARN, "bucket", "another"),
        )
    ]
    assert len(set(tokens)) == 5
    assert request().parameters()["ClientToken"] == tokens[0]


def test_an_increment_asks_for_both_images_of_its_window() -> None:
    """The window is the specification's, and no ExportTime goes with it."""
    sent = request(since=START, until=START + timedelta(hours=24)).parameters()
    assert sent["ExportType"] == "INCREMENTAL_EXPORT"
    assert sent["IncrementalExportSpecification"] == {
        "ExportFromTime": START,
        "ExportToTime": START + timedelta(hours=24),
        "ExportViewType": "NEW_AND_OLD_IMAGES",
    }
    assert "ExportTime" not in sent


@pytest.mark.parametrize("minutes", [-60, 0, 14, 24 * 60 + 1])
def test_a_window_dynamodb_would_refuse_is_refused_before_asking(minutes: int) -> None:
    """From 15 minutes to 24 hours."""
    with pytest.raises(InputError, match="between 15 minutes and 24 hours"):
        request(since=START, until=START + timedelta(minutes=minutes))


def test_an_answer_gives_the_address_that_reading_takes() -> None:
    """Bucket, prefix, and the folder of the export's id."""
    told = {"ExportStatus": "COMPLETED", "S3Prefix": "a/b", "ExportTime": EXPORT_TIME}
    state = start_export(Asked(told), request())
    assert state.address == "s3://bucket/a/b/AWSDynamoDB/01790000000000-a1b2c3d4"
    assert (state.completed, state.until) == (True, EXPORT_TIME)


def test_waiting_ends_with_the_export_or_with_the_time() -> None:
    """It looks again after each pause, and never longer than it was told."""
    running = {"ExportStatus": "IN_PROGRESS"}
    paused: list[float] = []
    client = Asked(running, running, {"ExportStatus": "FAILED", "FailureCode": "S3"})
    state = await_export(client, ARN, within=100, sleep=paused.append)
    assert (state.status, state.failure, paused) == ("FAILED", "S3", [30, 30])
    paused.clear()
    state = await_export(Asked(*[running] * 3), ARN, within=40, sleep=paused.append)
    assert (state.running, paused) == (True, [30, 10])


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        ("PointInTimeRecoveryUnavailableException", ReadError, "recovery is off"),
        ("ExportConflictException", ReadError, "in the last 8 hours"),
        ("ExportNotFoundException", ReadError, "there is no such export"),
        ("AccessDeniedException", AccessError, "not permitted"),
        ("InternalServerError", ReadError, "try again"),
    ],
)
def test_what_dynamodb_refuses_is_told_with_what_next(
    code: str, error: type[OpskitError], message: str
) -> None:
    """One line for each of its reasons."""
    refusal = ClientError({"Error": {"Code": code, "Message": "m\nn"}}, "DescribeExport")
    with pytest.raises(error, match=message) as caught:
        export_state(Asked(refusal), ARN)
    assert "\n" not in str(caught.value)
