"""The repair plan: conditional updates for counters that alone are wrong, and nothing executed."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from captures import Item, balance, entry, payment, write_capture
from click.testing import CliRunner, Result
from moto import mock_aws

from opskit.audit.repair import RepairPlan, repair_plan
from opskit.audit.run import audit_snapshot
from opskit.cli import cli
from opskit.ledger.books import open_books
from opskit.present.repair import repair_text
from opskit.read.capture import read_captures

AS_OF = datetime(2026, 12, 1, tzinfo=UTC)
SETTLED = {"type": "credit", "state": "settled", "reason": "charge_once"}


def settled_twice(account: str = "USER#a") -> list[Item]:
    """A credit whose settlement reached the counters twice, with its payment."""
    credit = entry(account, 1, 1500, **SETTLED, paypal_order_id="O1")
    stored = balance(account, payments_pending=-1500, payments_settled=3000)
    paid = payment(account, 1, 1500, credit["sk"]["S"]) | {"external_id": {"S": "O1"}}
    return [credit, paid, stored | {"updated_at": {"N": "1770000500"}}]


def planned(tmp_path: Path, items: list[Item]) -> RepairPlan:
    """The repair plan of a capture of these items."""
    snapshot = read_captures([write_capture(tmp_path / "c.jsonl", items)], tmp_path / "s")
    report = audit_snapshot(snapshot, as_of=AS_OF)
    with open_books(snapshot) as books:
        return repair_plan(report, books, table="billing")


def request_of(plan: RepairPlan) -> dict[str, Any]:
    """The only planned update."""
    [repair] = plan.repairs
    return json.loads(json.dumps(repair.request()))  # type: ignore[no-any-return]


@pytest.fixture
def table() -> Any:
    """A client of an empty billing table in moto."""
    with mock_aws():
        client: Any = boto3.client(
            "dynamodb",
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        client.create_table(
            TableName="billing",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


def test_an_explained_drift_has_an_update_that_repairs_it(tmp_path: Path, table: Any) -> None:
    """Run by hand, the update makes the counters the entries' sum and leaves the rest alone."""
    items = settled_twice()
    for item in items:
        table.put_item(TableName="billing", Item=item)
    answer = table.update_item(**request_of(planned(tmp_path, items)))
    after = answer["Attributes"]
    assert after["payments_pending_cents"] == {"N": "0"}
    assert after["payments_settled_cents"] == {"N": "1500"}
    assert {after[name]["N"] for name in ("owed_pending_cents", "owed_settled_cents")} == {"0"}
    assert after["currency"] == {"S": "usd"}
    assert after["updated_at"] == {"N": "1770000500"}
    (tmp_path / "again").mkdir()
    again = planned(tmp_path / "again", [items[0], items[1], after])
    assert (again.repairs, again.left) == ((), ())


@pytest.mark.parametrize(
    "moved",
    [
        {"payments_settled_cents": {"N": "3001"}},
        {"owed_pending_cents": {"N": "1"}},
        {"updated_at": {"N": "1770000501"}},
    ],
)
def test_a_balance_that_moved_is_not_touched(
    tmp_path: Path, table: Any, moved: Mapping[str, Any]
) -> None:
    """When any counter or the time of the last write is another, the condition fails."""
    items = settled_twice()
    request = request_of(planned(tmp_path, items))
    table.put_item(TableName="billing", Item={**items[2], **moved})
    with pytest.raises(table.exceptions.ConditionalCheckFailedException):
        table.update_item(**request)


def test_a_balance_without_a_time_is_conditioned_on_having_none(tmp_path: Path, table: Any) -> None:
    """A BALANCE that never said when it was written must still not say so."""
    items = settled_twice()
    del items[2]["updated_at"]
    request = request_of(planned(tmp_path, items))
    assert "attribute_not_exists(#updated_at)" in request["ConditionExpression"]
    table.put_item(TableName="billing", Item=items[2])
    assert table.update_item(**request)["Attributes"]["payments_pending_cents"] == {"N": "0"}


def reason_of(plan: RepairPlan) -> str:
    """Why the only account is not repairable."""
    assert plan.repairs == ()
    [left] = plan.left
    return left.reason


def test_an_entry_that_may_be_wrong_is_not_repaired(tmp_path: Path) -> None:
    """Counters that moved on while the entry still says pending: the entry is what is wrong."""
    credit = entry("USER#a", 1, 1500, **{**SETTLED, "state": "pending"})
    items = [credit, balance("USER#a", payments_settled=1500)]
    assert "the entries are wrong and not the counters" in reason_of(planned(tmp_path, items))


def test_a_missing_entry_is_not_repaired_in_the_counters(tmp_path: Path) -> None:
    """A payment that names an entry which is gone: the counters may well be right."""
    gone = payment("USER#a", 9, 700, "LEDGER#1770000009#1770000009000_0000000000000009")
    reason = reason_of(planned(tmp_path, [*settled_twice(), gone]))
    assert "links.payment_entry_exists" in reason
    assert "settle that first" in reason


def test_an_unexplained_drift_is_not_repaired(tmp_path: Path) -> None:
    """Without an explanation it is not known which side is wrong."""
    items = [entry("USER#a", 1, 1000), balance("USER#a", owed_settled=1777)]
    assert "nothing explains the drift" in reason_of(planned(tmp_path, items))


def test_an_account_without_balance_is_not_repaired(tmp_path: Path) -> None:
    """An update would make a BALANCE without a currency."""
    reason = reason_of(planned(tmp_path, [entry("USER#a", 1, 1000)]))
    assert "no BALANCE item" in reason


def test_an_unjudged_account_is_listed(tmp_path: Path) -> None:
    """An entry without a posting rule leaves it open what the counters should be."""
    strange = entry("USER#a", 1, 1000, type="adjustment", reason="unheard_of")
    plan = planned(tmp_path, [strange, balance("USER#a", owed_settled=5)])
    assert "could not be judged" in reason_of(plan)


def run(*arguments: object) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(cli, [str(a) for a in arguments])


def test_the_command_line_prints_and_saves_the_plan(tmp_path: Path) -> None:
    """The saved request is the printed one; exit 1 tells that there is drift."""
    capture = write_capture(tmp_path / "c.jsonl", settled_twice("USER#o'neil"))
    out = tmp_path / "plan.json"
    source = ("--from-items", capture, "--as-of", "2026-12-01", "--table", "billing")
    answer = run("repair", "plan", *source, "--out", out)
    assert answer.exit_code == 1, answer.output + repr(answer.exception)
    assert "1 update planned, 0 not repairable" in answer.stdout
    assert "Nothing here has been carried out" in answer.stdout
    printed = answer.stdout.split("--cli-input-json '")[1].rpartition("'")[0]
    [saved] = json.loads(out.read_text())["repairs"]
    assert "'" not in printed
    assert json.loads(printed) == saved["request"]
    assert saved["request"]["Key"] == {"pk": {"S": "USER#o'neil"}, "sk": {"S": "BALANCE"}}


def test_books_in_order_need_no_repair(tmp_path: Path) -> None:
    """No drift is exit 0 and an empty plan."""
    items = [entry("USER#a", 1, 500), balance("USER#a", owed_settled=500)]
    capture = write_capture(tmp_path / "c.jsonl", items)
    source = ("--from-items", capture, "--as-of", "2026-12-01", "--table", "billing")
    answer = run("repair", "plan", *source, "--json")
    assert answer.exit_code == 0
    assert json.loads(answer.stdout)["repairs"] == []


def test_the_books_of_the_other_layout_are_repaired_under_its_key(tmp_path: Path) -> None:
    """A table keyed by user_sub has the update under that key."""
    items = [
        {"user_sub": {"S": "a"}} | {name: held for name, held in item.items() if name != "pk"}
        for item in settled_twice()
    ]
    assert request_of(planned(tmp_path, items))["Key"] == {
        "user_sub": {"S": "a"},
        "sk": {"S": "BALANCE"},
    }


def test_hostile_ids_are_text(tmp_path: Path) -> None:
    """An account id that would act on a terminal is spelled out in the text."""
    text = repair_text(planned(tmp_path, settled_twice("USER#\x1b[31mred")))
    assert "\x1b" not in text
