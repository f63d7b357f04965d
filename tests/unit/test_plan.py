"""The plan as a value: every comparison, its id, its exit status, its text, and who may agree."""

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from opskit.cli.provision import _consent
from opskit.errors import InputError
from opskit.present.plan import State, plan_json, plan_text, table_state
from opskit.provision.changes import Remark, Standing, Step, changes
from opskit.provision.plan import Plan, Target
from opskit.tables import Index, Key, Projection, TableSpec
from opskit.tables.live import LiveTable, Presence, TtlStatus

KEYS = TableSpec("keys", Key("key_id"), (Index("by-user", Key("user_sub")),), "dies_at")
PREFS = TableSpec("prefs", Key("user_sub"))
BILLING = TableSpec("bills", Key("pk", "sk"), (), "ttl_epoch")
ON = {"status": "ACTIVE", "index_status": {"by-user": "ACTIVE"}, "ttl": TtlStatus.ENABLED}
AWS = Target("123456789012", "eu-central-1", "https://dynamodb.eu-central-1.amazonaws.com")
HERE = Target("", "us-east-1", "http://127.0.0.1:8000")


def live(spec: TableSpec, **more: object) -> LiveTable:
    """A table as wanted, on-demand and ACTIVE, but for what is said."""
    given = {"billing_mode": "PAY_PER_REQUEST", **ON, **more}
    return LiveTable(spec.name, Presence.PRESENT, spec, **given)  # type: ignore[arg-type]


def judged(
    spec: TableSpec, found: LiveTable, *, logical: str = "api_keys", ttl_writable: bool = True
) -> tuple[list[Step], list[Standing], str]:
    """The steps, the standings and all the words of one comparison."""
    done, said = changes({logical: spec}, {logical: found}, ttl_writable=ttl_writable)
    steps = [step for change in done for step in change.steps]
    return steps, [remark.standing for remark in said], " ".join(remark.text for remark in said)


def test_equal_values_need_nothing() -> None:
    """A live table equal to the wanted one gives no change and no remark."""
    assert judged(KEYS, live(KEYS)) == ([], [], "")


def test_an_absent_table_is_created_then_given_ttl() -> None:
    """Absent is the only reading that creates."""
    steps, said, _ = judged(KEYS, LiveTable("keys", Presence.ABSENT))
    assert (steps, said) == ([Step.CREATE, Step.ENABLE_TTL], [])


def test_an_unknown_table_is_not_created() -> None:
    """Unknown is not absent: nothing is done, and the permission is named."""
    found = LiveTable("keys", Presence.UNKNOWN, missing=("dynamodb:DescribeTable",))
    steps, said, text = judged(KEYS, found)
    assert (steps, said) == ([], [Standing.UNKNOWN])
    assert "dynamodb:DescribeTable" in text


@pytest.mark.parametrize(
    ("other", "word"),
    [
        (replace(KEYS, key=Key("id")), "key_id (S)"),
        (replace(KEYS, indexes=(Index("by-user", Key("email")),)), "by-user"),
        (
            replace(KEYS, indexes=(Index("by-user", Key("user_sub"), Projection.KEYS_ONLY),)),
            "KEYS_ONLY",
        ),
        (replace(KEYS, key=Key("key_id", "more")), "more (S)"),
    ],
)
def test_what_cannot_be_changed_is_a_conflict(other: TableSpec, word: str) -> None:
    """Other keys, index keys or projections are a conflict, and TTL is not touched either."""
    found = live(replace(other, ttl_attribute=None), ttl=TtlStatus.DISABLED)
    steps, said, text = judged(KEYS, found)
    assert (steps, said) == ([], [Standing.CONFLICT])
    assert word in text


@pytest.mark.parametrize(
    ("status", "attribute", "steps", "said"),
    [
        (TtlStatus.DISABLED, None, [Step.ENABLE_TTL], []),
        (TtlStatus.ENABLING, "dies_at", [], [Standing.NOTE]),
        (TtlStatus.DISABLING, None, [], [Standing.DIFFERENCE]),
        (TtlStatus.ENABLED, "other", [], [Standing.DIFFERENCE]),
        (TtlStatus.UNKNOWN, None, [], [Standing.UNKNOWN]),
        (TtlStatus.UNSUPPORTED, None, [], [Standing.UNSUPPORTED]),
    ],
)
def test_each_state_of_ttl(
    status: TtlStatus, attribute: str | None, steps: list[Step], said: list[Standing]
) -> None:
    """Only a TTL that is off is enabled; every other state is said."""
    found = live(replace(KEYS, ttl_attribute=attribute), ttl=status)
    assert judged(KEYS, found)[:2] == (steps, said)


def test_an_endpoint_without_ttl_is_said_once() -> None:
    """Two tables that cannot have TTL make one remark about the endpoint."""
    tables = {"api_keys": KEYS, "alerts": replace(KEYS, name="alerts")}
    found = {
        name: live(replace(spec, ttl_attribute=None), ttl=TtlStatus.DISABLED)
        for name, spec in tables.items()
    }
    done, said = changes(tables, found, ttl_writable=False)
    assert done == ()
    assert [(remark.logical, remark.standing) for remark in said] == [("", Standing.UNSUPPORTED)]
    assert "api_keys, alerts" in said[0].text


def test_ttl_nobody_wants_is_a_difference() -> None:
    """TTL on a table whose items never expire may be deleting them."""
    found = live(replace(PREFS, ttl_attribute="updated_at"), index_status={})
    steps, said, text = judged(PREFS, found, logical="alert_prefs")
    assert (steps, said) == ([], [Standing.DIFFERENCE])
    assert "updated_at" in text


@pytest.mark.parametrize(
    "more",
    [{"status": "CREATING"}, {"status": "UPDATING"}, {"index_status": {"by-user": "CREATING"}}],
)
def test_a_table_in_the_making_is_waited_for(more: dict[str, object]) -> None:
    """A half-made table of the right shape is adopted."""
    assert judged(KEYS, live(KEYS, **more))[:2] == ([Step.WAIT], [])


@pytest.mark.parametrize("status", ["DELETING", "INACCESSIBLE_ENCRYPTION_CREDENTIALS", "ARCHIVED"])
def test_a_table_on_its_way_out_is_left(status: str) -> None:
    """What will not become ACTIVE by itself is a difference that names the state."""
    steps, said, text = judged(KEYS, live(KEYS, status=status))
    assert (steps, said) == ([], [Standing.DIFFERENCE])
    assert status in text


def test_a_missing_or_leaving_index_is_a_difference() -> None:
    """No index is added to a live table, and one being deleted is not taken for present."""
    without = live(replace(KEYS, indexes=()), index_status={})
    assert judged(KEYS, without)[1] == [Standing.DIFFERENCE]
    leaving = live(KEYS, index_status={"by-user": "DELETING"})
    assert judged(KEYS, leaving)[1] == [Standing.DIFFERENCE]


def test_an_operators_choices_are_notes() -> None:
    """Capacity mode, table class and further indexes never make a difference."""
    more = replace(KEYS, indexes=(*KEYS.indexes, Index("extra", Key("a"))))
    found = live(more, billing_mode="PROVISIONED", class_name="STANDARD_INFREQUENT_ACCESS")
    steps, said, text = judged(KEYS, found)
    assert (steps, said) == ([], [Standing.NOTE] * 3)
    assert "extra" in text


def test_billing_says_whose_code_it_serves() -> None:
    """Each layout names the code path that cannot use it; CCBill's markers are warned of."""
    _, said, text = judged(BILLING, live(BILLING), logical="billing")
    assert said == [Standing.NOTE]
    assert "the CCBill code (key user_sub) cannot use it" in text
    ccbill = replace(BILLING, key=Key("user_sub", "sk"))
    _, said, text = judged(ccbill, live(ccbill), logical="billing")
    assert said == [Standing.NOTE] * 2
    assert "never expire" in text
    _, said, text = judged(BILLING, live(ccbill), logical="billing")
    assert said == [Standing.CONFLICT]
    assert "OPSKIT_BILLING_LAYOUT=user_sub" in text


def made(target: Target, found: LiveTable, spec: TableSpec = KEYS) -> Plan:
    """A plan for one table."""
    wanted = {"api_keys": spec}
    return Plan(target, wanted, *changes(wanted, {"api_keys": found}))


ABSENT = LiveTable("keys", Presence.ABSENT)


def test_the_exit_status_of_a_plan() -> None:
    """0 in sync, 1 differing, 3 when something could not be read."""
    assert made(AWS, live(KEYS)).exit_code == 0
    assert made(AWS, ABSENT).exit_code == 1
    assert made(AWS, live(KEYS, status="ARCHIVED")).exit_code == 1
    assert made(AWS, LiveTable("keys", Presence.UNKNOWN)).exit_code == 3


def test_the_id_is_the_work_and_the_place() -> None:
    """The same work has the same id; waiting does not change it, another region does."""
    assert made(AWS, ABSENT).id == made(AWS, ABSENT).id
    assert made(AWS, live(KEYS, status="CREATING")).id == made(AWS, live(KEYS)).id
    elsewhere = replace(AWS, region="us-east-1")
    others = {
        made(elsewhere, ABSENT).id,
        made(replace(AWS, account="9"), ABSENT).id,
        made(AWS, live(KEYS)).id,
        made(AWS, ABSENT, replace(KEYS, ttl_attribute="other")).id,
    }
    assert len(others | {made(AWS, ABSENT).id}) == 5


def test_the_text_marks_what_matters_most() -> None:
    """A table with a change and a difference shows the difference's mark and both reasons."""
    found = replace(KEYS, indexes=(), ttl_attribute=None)
    without = live(found, ttl=TtlStatus.DISABLED, index_status={})
    text = plan_text(made(AWS, without))
    (line,) = [line for line in text.splitlines() if "api_keys" in line]
    assert line.startswith("  ! api_keys  keys")
    assert "enable TTL on dies_at" in line
    assert "difference: index by-user" in line
    assert text.splitlines()[-1].startswith("Plan: 0 to create, 0 to change, 1 that opskit")


def test_hostile_text_is_only_text() -> None:
    """A terminal escape in what was read is spelled out."""
    remark = Remark("api_keys", "keys", Standing.CONFLICT, "\x1b[2J\nPlan: nothing")
    text = plan_text(Plan(AWS, {"api_keys": KEYS}, (), (remark,)))
    assert "\x1b" not in text
    assert "\\x1b[2J" in text
    assert table_state(Plan(AWS, {"api_keys": KEYS}, (), (remark,)), "api_keys") is State.CONFLICT


def test_the_document_names_place_work_and_state() -> None:
    """The JSON has account, region, endpoint, each table's state and steps, and the sums."""
    document = plan_json(made(AWS, ABSENT))
    assert (document["account"], document["region"]) == (AWS.account, AWS.region)
    assert document["in_sync"] is False
    (table,) = document["tables"]  # type: ignore[misc]
    assert table["state"] == "create"
    assert [step["step"] for step in table["steps"]] == ["create", "enable_ttl"]
    assert document["summary"]["create"] == 1  # type: ignore[index]


def refused(check: Callable[[], None]) -> str:
    """The one line of a refusal."""
    with pytest.raises(InputError) as refusal:
        check()
    return str(refusal.value)


def test_away_from_this_machine_yes_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Account and region must be given; --yes alone, or a wrong one, writes nothing."""
    monkeypatch.setattr(sys, "stdin", open("/dev/null"))  # noqa: PTH123, SIM115
    away = made(AWS, ABSENT)
    assert "--confirm 123456789012/eu-central-1" in refused(
        lambda: _consent(away, yes=True, confirm=None)
    )
    wrong = "123456789012/us-east-1"
    assert "nothing was written" in refused(lambda: _consent(away, yes=True, confirm=wrong))
    _consent(away, yes=False, confirm="123456789012/eu-central-1")


def test_on_this_machine_yes_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """--yes answers on loopback; without a terminal nothing else does."""
    monkeypatch.setattr(sys, "stdin", open("/dev/null"))  # noqa: PTH123, SIM115
    here = made(HERE, ABSENT)
    _consent(here, yes=True, confirm=None)
    assert "--yes" in refused(lambda: _consent(here, yes=False, confirm=None))
