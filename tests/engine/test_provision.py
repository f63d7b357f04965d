"""Plan and apply on real engines: convergence, races, refusals and what is never touched."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from engines import Engine

from opskit.aws import PROVISION_OPERATIONS, Connection, dynamodb_client
from opskit.errors import (
    AccessError,
    PlanError,
    SettingsError,
    StalePlanError,
    WriteRefusedError,
)
from opskit.provision.apply import apply_plan
from opskit.provision.changes import Standing, Step
from opskit.provision.patience import Patience
from opskit.provision.plan import plan
from opskit.provision.writes import Outcome, creation
from opskit.settings import load_settings
from opskit.tables import Key, TableSpec, catalogue
from opskit.tables.describe import describe_table
from opskit.tables.live import Presence

SETTINGS = {
    "DDB_SESSIONS_TABLE": "p-sessions",
    "DDB_TOTP_TABLE": "p-totp",
    "DDB_SMS_TABLE": "p-sms",
    "DDB_EMAIL_TABLE": "p-email",
    "DDB_RECOVERY_TABLE": "p-recovery",
    "BILLING_TABLE_NAME": "p-billing",
}
EXPIRING = ["sessions", "api_keys", "alerts", "billing"]
QUICK = Patience(poll_every=0.1)


def wanted(*logical: str, **more: str) -> dict[str, TableSpec]:
    """The catalogue, or the named tables of it."""
    tables = catalogue(load_settings({**SETTINGS, **more}, environ={}))
    return {name: tables[name] for name in logical or tables}


def writer(engine: Engine) -> Any:
    """A client that may provision."""
    return dynamodb_client(engine.connection, allow=PROVISION_OPERATIONS, workers=9)


def refusing(code: str, times: int) -> Callable[..., AWSResponse | None]:
    """A stand-in for AWS that answers the first `times` requests with an error."""
    left = [times]

    def answer(request: Any, **_: object) -> AWSResponse | None:
        if left[0] == 0:
            return None
        left[0] -= 1
        body = f'{{"__type":"x#{code}","message":"by a test"}}'.encode()
        response = AWSResponse(request.url, 400, {"Content-Length": str(len(body))}, None)
        response._content = body
        return response

    return answer


def before_first(client: Any, operation: str, act: Callable[[], object]) -> None:
    """Have a rival act just before the client's first request of an operation is sent."""
    acted: list[bool] = []

    def rival(**_: object) -> None:
        if not acted:
            acted.append(True)
            act()

    client.meta.events.register(f"before-call.dynamodb.{operation}", rival)


def test_an_empty_endpoint_needs_nine_tables(empty_engine: Engine) -> None:
    """The plan creates each of the nine and says where."""
    found = plan(dynamodb_client(empty_engine.connection), wanted())
    assert [change.logical for change in found.changes] == list(wanted())
    assert {change.steps[0] for change in found.changes} == {Step.CREATE}
    assert [c.logical for c in found.changes if Step.ENABLE_TTL in c.steps] == EXPIRING
    assert found.exit_code == 1
    assert found.target.endpoint_url == empty_engine.endpoint_url


def test_planning_after_applying_is_empty(empty_engine: Engine) -> None:
    """The law of provisioning, for a reader that may not write; what is lacking is said once."""
    client = writer(empty_engine)
    applied = apply_plan(client, plan(client, wanted()), patience=QUICK)
    assert applied.failures == ()
    again = plan(dynamodb_client(empty_engine.connection), wanted())
    assert again.is_empty
    assert again.exit_code == applied.exit_code == 0
    lacking = 1 if empty_engine.name == "dynalite" else 0
    assert len(again.unsupported) == len(applied.remaining.unsupported) == lacking


def test_live_tables_equal_the_catalogue(empty_engine: Engine) -> None:
    """What was made and described is the wanted value, its index and TTL included."""
    client = writer(empty_engine)
    apply_plan(client, plan(client, wanted()), patience=QUICK)
    for spec in wanted().values():
        live = describe_table(client, spec.name)
        has_ttl = empty_engine.name != "dynalite"
        assert live.spec == (spec if has_ttl else replace(spec, ttl_attribute=None))
        assert live.usable
        assert live.billing_mode == "PAY_PER_REQUEST"


def test_applying_twice_writes_nothing_more(empty_engine: Engine) -> None:
    """The second apply sends no write at all."""
    client = writer(empty_engine)
    apply_plan(client, plan(client, wanted()), patience=QUICK)
    reader = dynamodb_client(empty_engine.connection)
    applied = apply_plan(reader, plan(reader, wanted()), patience=QUICK)
    assert applied.done == ()
    assert applied.exit_code == 0


def test_a_conflicting_table_is_named_and_never_touched(empty_engine: Engine) -> None:
    """A billing table of the other layout stays as it is while the other eight are made."""
    client = writer(empty_engine)
    ccbill = wanted("billing", OPSKIT_BILLING_LAYOUT="user_sub")["billing"]
    client.create_table(**creation(ccbill))
    found = plan(client, wanted())
    (conflict,) = found.conflicts
    assert "user_sub (S) + sk (S)" in conflict.text
    assert "pk (S) + sk (S)" in conflict.text
    assert "the Stripe and PayPal code cannot use it" in conflict.text
    applied = apply_plan(client, found, patience=QUICK)
    assert applied.exit_code == 1
    assert not [done for done in applied.done if done.logical == "billing"]
    live = describe_table(client, ccbill.name)
    assert live.spec is not None
    assert (live.spec.key, live.spec.ttl_attribute) == (ccbill.key, None)


def test_half_made_tables_are_adopted(empty_engine: Engine) -> None:
    """Tables somebody made without TTL, one still CREATING on dynalite, are completed."""
    client = writer(empty_engine)
    for name in ("api_keys", "sessions"):
        client.create_table(**creation(wanted()[name]))
    found = plan(client, wanted())
    assert not found.conflicts
    adopted = [change for change in found.changes if change.logical in {"api_keys", "sessions"}]
    assert Step.CREATE not in {step for change in adopted for step in change.steps}
    assert (Step.WAIT in adopted[0].steps) is (empty_engine.name == "dynalite") if adopted else True
    assert apply_plan(client, found, patience=QUICK).exit_code == 0


def test_a_stale_plan_is_refused(empty_engine: Engine) -> None:
    """Once a table appeared, the plan that would create it writes nothing."""
    client = writer(empty_engine)
    found = plan(client, wanted())
    empty_engine.client().create_table(**creation(wanted()["alerts"]))
    with pytest.raises(StalePlanError, match="alerts"):
        apply_plan(client, found, patience=QUICK)
    assert client.list_tables()["TableNames"] == ["alerts"]


def test_a_plan_is_for_one_endpoint(empty_moto: Engine, empty_dynalite: Engine) -> None:
    """A plan made for one endpoint is refused on another."""
    found = plan(writer(empty_moto), wanted())
    with pytest.raises(StalePlanError, match=empty_moto.endpoint_url):
        apply_plan(writer(empty_dynalite), found, patience=QUICK)
    assert writer(empty_dynalite).list_tables()["TableNames"] == []


def test_a_reader_cannot_apply(empty_engine: Engine) -> None:
    """A client without the write operations sends none."""
    client = dynamodb_client(empty_engine.connection)
    with pytest.raises(WriteRefusedError):
        apply_plan(client, plan(client, wanted()), patience=QUICK)
    assert client.list_tables()["TableNames"] == []


def test_a_rivals_equal_table_is_taken_over(empty_engine: Engine) -> None:
    """A table made by somebody else just before ours is waited for, and is not a failure."""
    client, rival = writer(empty_engine), empty_engine.client()
    found = plan(client, wanted("alert_prefs"))
    before_first(
        client, "CreateTable", lambda: rival.create_table(**creation(wanted()["alert_prefs"]))
    )
    applied = apply_plan(client, found, patience=QUICK)
    assert applied.done[0].outcome is Outcome.ALREADY
    assert applied.exit_code == 0


def test_a_rivals_other_table_is_left_alone(empty_engine: Engine) -> None:
    """A table of other keys made just before ours is a failure, and gets no TTL."""
    client, rival = writer(empty_engine), empty_engine.client()
    found = plan(client, wanted("billing"))
    other = replace(wanted()["billing"], key=Key("user_sub", "sk"))
    before_first(client, "CreateTable", lambda: rival.create_table(**creation(other)))
    applied = apply_plan(client, found, patience=QUICK)
    (failure,) = applied.failures
    assert "somebody else" in failure.why
    assert applied.exit_code == 2
    assert len(applied.remaining.conflicts) == 1
    live = describe_table(client, other.name)
    assert live.spec == replace(other, ttl_attribute=None)


def test_ttl_enabled_by_a_rival_is_no_failure(empty_dynamodb_local: Engine) -> None:
    """DynamoDB Local refuses to enable TTL twice; that it is on as wanted is read back."""
    client, rival = writer(empty_dynamodb_local), empty_dynamodb_local.client()
    found = plan(client, wanted("alerts"))
    before_first(
        client,
        "UpdateTimeToLive",
        lambda: rival.update_time_to_live(
            TableName="alerts",
            TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl_epoch"},
        ),
    )
    applied = apply_plan(client, found, patience=QUICK)
    assert applied.done[-1].outcome is Outcome.ALREADY
    assert applied.exit_code == 0


@pytest.mark.parametrize("name", ["empty_moto", "empty_dynamodb_local"])
def test_ttl_on_another_attribute_is_left_on(name: str, request: pytest.FixtureRequest) -> None:
    """Changing the attribute takes two runs an hour apart, so it is said and not done."""
    engine: Engine = request.getfixturevalue(name)
    client = writer(engine)
    apply_plan(client, plan(client, wanted("alerts", DDB_TTL_ATTR="old")), patience=QUICK)
    found = plan(client, wanted("alerts"))
    (difference,) = found.differences
    assert "two runs" in difference.text
    assert "hour" in difference.text
    assert (found.is_empty, found.exit_code) == (True, 1)


def test_a_missing_index_is_reported_not_added(empty_engine: Engine) -> None:
    """Adding an index to a live table is another matter; a plan says that it is missing."""
    client = writer(empty_engine)
    client.create_table(**creation(replace(wanted()["api_keys"], indexes=())))
    found = plan(client, wanted("api_keys"))
    assert "user_sub-index" in found.differences[0].text
    assert found.exit_code == 1


def test_provisioned_capacity_is_no_difference(empty_moto: Engine) -> None:
    """How an operator pays is noted; the plan is in sync."""
    client = writer(empty_moto)
    request = creation(wanted()["alert_prefs"])
    request["BillingMode"] = "PROVISIONED"
    request["ProvisionedThroughput"] = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    empty_moto.client().create_table(**request)
    found = plan(client, wanted("alert_prefs"))
    assert found.exit_code == 0
    assert [remark.standing for remark in found.remarks] == [Standing.NOTE]


def test_denied_is_unknown_and_never_created(empty_moto: Engine) -> None:
    """A table that may not be described is unknown with its permission, and is left out."""
    client = writer(empty_moto)
    event = "before-send.dynamodb.DescribeTable"
    client.meta.events.register(event, refusing("AccessDeniedException", 1))
    found = plan(client, wanted("alerts", "alert_prefs"))
    assert [change.logical for change in found.changes] == ["alert_prefs"]
    assert "dynamodb:DescribeTable" in found.unknown[0].text
    assert found.exit_code == 3
    assert describe_table(client, "alerts").presence is Presence.ABSENT


def test_throttled_creates_are_sent_again(empty_moto: Engine) -> None:
    """LimitExceededException is waited out with growing pauses, not reported."""
    client = dynamodb_client(empty_moto.connection, allow=PROVISION_OPERATIONS, attempts=1)
    found = plan(client, wanted("alerts"))
    event = "before-send.dynamodb.CreateTable"
    client.meta.events.register(event, refusing("LimitExceededException", 4))
    pauses: list[float] = []
    applied = apply_plan(client, found, patience=Patience(sleep=pauses.append))
    assert applied.exit_code == 0
    assert len(pauses) == 4
    assert pauses == sorted(pauses)


def test_a_refused_create_fails_alone(empty_moto: Engine) -> None:
    """One table's missing permission is named, and the other tables are made."""
    client = writer(empty_moto)
    found = plan(client, wanted("alerts", "alert_prefs"))
    event = "before-send.dynamodb.CreateTable"
    client.meta.events.register(event, refusing("AccessDeniedException", 1))
    applied = apply_plan(client, found, patience=QUICK)
    (failure,) = applied.failures
    assert "dynamodb:CreateTable" in failure.why
    assert applied.exit_code == 2
    assert len(client.list_tables()["TableNames"]) == 1


def test_waiting_has_a_deadline_and_can_be_resumed(empty_dynalite: Engine) -> None:
    """Tables still CREATING at the deadline are failures that the next apply completes."""
    client = writer(empty_dynalite)
    hasty = Patience(active_within=0)
    applied = apply_plan(client, plan(client, wanted("api_keys")), patience=hasty)
    assert "CREATING" in applied.failures[0].why
    assert applied.exit_code == 2
    assert apply_plan(client, plan(client, wanted("api_keys")), patience=QUICK).exit_code == 0


def test_an_interrupted_apply_says_what_is_done(empty_engine: Engine) -> None:
    """Ctrl-C ends in one line naming the finished steps, and the next apply converges."""
    client = writer(empty_engine)
    heard: list[str] = []

    def interrupt(message: str) -> None:
        heard.append(message)
        if len(heard) == 3:
            raise KeyboardInterrupt

    with pytest.raises(PlanError, match=r"interrupted after: create .*again continues"):
        apply_plan(client, plan(client, wanted()), progress=interrupt, patience=QUICK)
    # Creates already sent may still arrive, so plan again until the plan holds.
    for _ in range(5):
        try:
            applied = apply_plan(client, plan(client, wanted()), patience=QUICK)
            break
        except StalePlanError:
            continue
    assert applied.remaining.exit_code == 0


def test_an_unusable_name_is_refused_before_any_call() -> None:
    """A rule of DynamoDB is checked first: nothing listens at this endpoint."""
    client = dynamodb_client(Connection("us-east-1", "http://127.0.0.1:9"), attempts=1)
    with pytest.raises(SettingsError, match="rule table-name"):
        plan(client, {"alerts": TableSpec("a/b/c", Key("id"))})


def test_an_endpoint_that_does_not_answer_is_an_access_error() -> None:
    """No connection is neither absent nor unknown: the plan cannot be made."""
    client = dynamodb_client(Connection("us-east-1", "http://127.0.0.1:9"), attempts=1)
    with pytest.raises(AccessError, match=r"127\.0\.0\.1:9"):
        plan(client, wanted())
