"""The verbs plan and apply as a shell sees them, on real engines, killed and interrupted."""

import json
import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest
from engines import REGION, Engine, clean_environment

NAMES = {
    "DDB_SESSIONS_TABLE": "c-sessions",
    "DDB_TOTP_TABLE": "c-totp",
    "DDB_SMS_TABLE": "c-sms",
    "DDB_EMAIL_TABLE": "c-email",
    "DDB_RECOVERY_TABLE": "c-recovery",
    "BILLING_TABLE_NAME": "c-billing",
}
COMMAND = [sys.executable, "-c", "from opskit.cli import main; main()"]


def arguments(engine: Engine, *words: str) -> list[str]:
    """A verb and its options, sent to the engine."""
    return [*COMMAND, *words, "--endpoint-url", engine.endpoint_url, "--region", REGION]


def opskit(engine: Engine, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a verb to its end, with no terminal to answer at."""
    return subprocess.run(
        arguments(engine, *words),
        env=clean_environment(**NAMES),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def stopped_after(engine: Engine, lines: int, how: signal.Signals) -> tuple[int, str]:
    """Run `apply --yes`, signal it once it has said so many lines; its status and its rest."""
    with subprocess.Popen(
        arguments(engine, "apply", "--yes"),
        env=clean_environment(**NAMES),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for _ in range(lines):
            process.stderr.readline()
        process.send_signal(how)
        rest = process.stderr.read()
        return process.wait(60), rest


def states(document: str) -> Sequence[str]:
    """The state of each table of a plan's JSON."""
    return [table["state"] for table in json.loads(document)["tables"]]


def test_plan_apply_plan(empty_engine: Engine) -> None:
    """1 with nine tables to create, then 0 from apply, then 0 and in sync."""
    before = opskit(empty_engine, "plan", "--json")
    assert (before.returncode, states(before.stdout)) == (1, ["create"] * 9)
    assert opskit(empty_engine, "apply", "--yes").returncode == 0
    after = opskit(empty_engine, "plan", "--json")
    assert (after.returncode, states(after.stdout)) == (0, ["in_sync"] * 9)
    document = json.loads(after.stdout)
    assert document["in_sync"] is True
    assert len(document["unsupported"]) == (1 if empty_engine.name == "dynalite" else 0)


def test_the_text_has_a_line_a_table_and_a_sum(empty_moto: Engine) -> None:
    """Each table has its mark and name; the last line sums up; stderr stays empty."""
    run = opskit(empty_moto, "plan")
    lines = run.stdout.splitlines()
    assert sum(line.startswith("  + ") for line in lines) == 9
    assert lines[-1].startswith("Plan: 9 to create, 0 to change")
    assert empty_moto.endpoint_url in lines[0]
    assert run.stderr == ""


def test_apply_asks_and_without_a_terminal_refuses(empty_moto: Engine) -> None:
    """Nobody to ask and no --yes: exit 2, one line, nothing written."""
    run = opskit(empty_moto, "apply")
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert "--yes" in run.stderr
    assert empty_moto.client().list_tables()["TableNames"] == []


def test_a_wrong_confirmation_writes_nothing(empty_moto: Engine) -> None:
    """--confirm of another account is exit 2 in one line, even with --yes."""
    run = opskit(empty_moto, "apply", "--yes", "--confirm", f"111122223333/{REGION}")
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert empty_moto.client().list_tables()["TableNames"] == []


def test_a_right_confirmation_is_an_answer(empty_moto: Engine) -> None:
    """--confirm of the plan's own account and region is enough."""
    account = json.loads(opskit(empty_moto, "plan", "--json").stdout)["account"]
    assert opskit(empty_moto, "apply", "--confirm", f"{account}/{REGION}").returncode == 0
    assert len(empty_moto.client().list_tables()["TableNames"]) == 9


def test_apply_prints_one_json_document(empty_moto: Engine) -> None:
    """Stdout is one document of what was done and what is left; the rest is on stderr."""
    run = opskit(empty_moto, "apply", "--yes", "--json")
    document = json.loads(run.stdout)
    assert len([done for done in document["done"] if done["step"] == "create"]) == 9
    assert document["failures"] == []
    assert document["remaining"]["in_sync"] is True


def test_billing_layout_is_explicit(empty_moto: Engine) -> None:
    """A table made for CCBill is in sync when asked for, and a conflict when not."""
    assert opskit(empty_moto, "apply", "--yes", "--billing-layout", "user_sub").returncode == 0
    assert opskit(empty_moto, "plan", "--billing-layout", "user_sub").returncode == 0
    other = opskit(empty_moto, "plan")
    assert other.returncode == 1
    assert "  ! billing" in other.stdout
    assert "Stripe and PayPal code cannot use it" in other.stdout
    assert "OPSKIT_BILLING_LAYOUT=user_sub" in other.stdout


@pytest.mark.parametrize("lines", [1, 6, 13, 20])
def test_a_killed_apply_is_continued(empty_moto: Engine, lines: int) -> None:
    """Kill -9 among the creates, the waits or the TTL writes; the next apply completes them."""
    status, _ = stopped_after(empty_moto, lines, signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert opskit(empty_moto, "apply", "--yes").returncode == 0
    assert opskit(empty_moto, "plan").returncode == 0


def test_tables_left_creating_by_a_kill_are_adopted(empty_dynalite: Engine) -> None:
    """Kill -9 while every table is CREATING; the next apply waits for them.

    Line ten says that it waits: dynalite itself dies when a request is cut off in the middle.
    """
    status, _ = stopped_after(empty_dynalite, 10, signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert len(empty_dynalite.client().list_tables()["TableNames"]) == 9
    assert opskit(empty_dynalite, "apply", "--yes").returncode == 0
    assert opskit(empty_dynalite, "plan").returncode == 0


def test_ctrl_c_says_what_is_done(empty_dynalite: Engine) -> None:
    """SIGINT while the tables are CREATING: exit 2, one line, and the next apply converges."""
    status, rest = stopped_after(empty_dynalite, 10, signal.SIGINT)
    assert status == 2
    last = rest.splitlines()[-1]
    assert last.startswith("opskit: interrupted after: create ")
    assert "Traceback" not in rest
    assert opskit(empty_dynalite, "apply", "--yes").returncode == 0


def test_an_endpoint_that_is_down_is_one_line() -> None:
    """Nothing listening: exit 2 and one line that names the endpoint."""
    run = opskit(Engine("none", "http://127.0.0.1:9"), "plan")
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert "127.0.0.1:9" in run.stderr
