"""Confirming on a real engine: planted faults fail, writers at work make no false failure."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from captures import Item, balance, entry
from engines import Engine

from opskit.audit.check import load_checks
from opskit.audit.confirm import Confirmed, LiveBooks, confirm
from opskit.audit.report import Outcome, Verdict
from opskit.audit.reread import Stillness, account_reader
from opskit.audit.run import audit_snapshot
from opskit.aws import dynamodb_client
from opskit.read.scan import snapshot_table
from opskit.sandbox.environment import isolated_environment, sandbox_environment
from opskit.sandbox.load import fill_sandbox
from opskit.sandbox.proof import tallies
from opskit.sandbox.seed import sample_books

pytestmark = pytest.mark.engine

DRIFT = "balances.stored_equals_entries"
WINDOW = 1


@pytest.fixture
def billing(empty_engine: Engine) -> Any:
    """A plain client of an engine that has an empty billing table."""
    client = empty_engine.client()
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
    client.get_waiter("table_exists").wait(
        TableName="billing", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    return client


def put(client: Any, *items: Item) -> None:
    """Write items one at a time, as the service does."""
    for item in items:
        client.put_item(TableName="billing", Item=item)


def wrong(account: str) -> tuple[Item, Item]:
    """An account whose counters miss a debit of five dollars."""
    return entry(account, 1, 500), balance(account, owed_settled=0)


def confirmed(
    engine: Engine, tmp_path: Path, sleep: Callable[[float], None], rounds: int = 4
) -> Confirmed:
    """The live billing table's report, confirmed, with `sleep` for the waits."""
    client = dynamodb_client(engine.connection)
    checks = load_checks()
    live = LiveBooks(
        snapshot_table(client, "billing", tmp_path / "first"),
        account_reader(client, "billing"),
        tmp_path / "again",
    )
    return confirm(
        live,
        checks,
        lambda snapshot: audit_snapshot(
            snapshot,
            as_of=datetime.now(UTC),
            checks=checks,
            parameters={"settle_window": "0"},
        ),
        Stillness(WINDOW, sleep, rounds=rounds),
    )


def outcomes(answer: Confirmed) -> dict[str, Outcome]:
    """How each account's drift ended."""
    return {f.account: f.outcome for f in answer.report.findings if f.check == DRIFT}


def test_a_planted_fault_fails_and_a_finished_posting_is_transient(
    empty_engine: Engine, billing: Any, tmp_path: Path
) -> None:
    """A writer that ends its half-done posting between reads leaves only the real fault."""
    put(billing, *wrong("USER#planted"), *wrong("USER#half-done"))

    def finish_then_sleep(seconds: float) -> None:
        put(billing, balance("USER#half-done", owed_settled=500))
        time.sleep(seconds)

    answer = confirmed(empty_engine, tmp_path, finish_then_sleep)
    assert outcomes(answer) == {
        "USER#planted": Outcome.FAILED,
        "USER#half-done": Outcome.TRANSIENT,
    }
    [failed] = [f for f in answer.report.findings if f.outcome is Outcome.FAILED and f.rereads]
    first, second = failed.rereads
    assert first.fingerprint == second.fingerprint
    assert (second.at - first.at).total_seconds() >= WINDOW
    assert answer.report.verdict is Verdict.FINDINGS


@contextmanager
def writer(client: Any, account: str) -> Iterator[None]:
    """A writer that posts a debit and then its counter, again and again, until the end."""
    stop = threading.Event()

    def write() -> None:
        number, owed = 2, 0
        while not stop.is_set():
            put(client, entry(account, number, 100))
            owed += 100
            put(client, balance(account, owed_settled=owed))
            number += 1
            stop.wait(0.05)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=30)


def test_an_account_that_is_always_written_to_is_inconclusive(
    empty_engine: Engine, billing: Any, tmp_path: Path
) -> None:
    """A busy account is never called a fault, however torn the reads; a still one beside it is."""
    put(billing, *wrong("USER#busy"), *wrong("USER#planted"))
    with writer(billing, "USER#busy"):
        answer = confirmed(empty_engine, tmp_path, time.sleep, rounds=3)
    assert outcomes(answer)["USER#planted"] is Outcome.FAILED
    assert outcomes(answer)["USER#busy"] is Outcome.INCONCLUSIVE


def audit(environ: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `opskit audit` in a process of its own."""
    program = "from opskit.cli import main; main()"
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=180, check=False
    )


def test_the_command_line_confirms_a_live_table_and_packs_it(
    empty_moto: Engine, tmp_path: Path
) -> None:
    """Sample books on a sandbox: found is planted, each confirmed twice, and the pack verifies."""
    books = sample_books(7, datetime.now(UTC).replace(microsecond=0), accounts=40)
    fill_sandbox(empty_moto.endpoint_url, books)
    environ = isolated_environment(os.environ, sandbox_environment(empty_moto.endpoint_url))
    pack = tmp_path / "pack"
    ended = audit(environ, "audit", "--json", "--settle-window", str(WINDOW), "--pack", str(pack))
    assert ended.returncode == 1, ended.stderr
    report = json.loads(ended.stdout)
    drifted = [f for f in report["findings"] if f["check"] == DRIFT]
    planted = [fault for fault in books.faults if fault.check == DRIFT]
    assert {f["account"] for f in drifted} == {fault.account for fault in planted}
    assert all(len(f["rereads"]) == 2 for f in drifted)
    assert "were read again" in report["remarks"][0]
    read = json.loads((pack / "run.json").read_text())["read"]
    assert read["table_arn"].endswith("table/billing")
    assert read["consistency"] == "strong"
    assert audit(environ, "verify", str(pack)).returncode == 0


def test_confirming_finds_just_what_one_still_reading_finds(
    empty_moto: Engine, tmp_path: Path
) -> None:
    """On a table at rest every planted fault survives confirming, and nothing else appears."""
    books = sample_books(8, datetime.now(UTC).replace(microsecond=0), accounts=40)
    fill_sandbox(empty_moto.endpoint_url, books)
    answer = confirmed(empty_moto, tmp_path, time.sleep)
    unequal = [t for t in tallies(books.faults, answer.report) if not t.equal]
    assert not unequal
    assert {f.outcome for f in answer.report.findings} <= {Outcome.FAILED, Outcome.INCONCLUSIVE}


def test_the_books_of_a_live_table_count_no_write_that_is_half_done(
    empty_engine: Engine, billing: Any
) -> None:
    """`opskit books` reads again as the audit does: only drift that stays is in its totals."""
    put(billing, *wrong("USER#planted"), *wrong("USER#busy"))
    environ = {
        **isolated_environment(os.environ, sandbox_environment(empty_engine.endpoint_url)),
        "AWS_REGION": empty_engine.connection.region,
        "BILLING_TABLE_NAME": "billing",
    }
    with writer(billing, "USER#busy"):
        ended = audit(environ, "books", "--json", "--settle-window", str(WINDOW))
    assert ended.returncode == 1, ended.stderr
    report = json.loads(ended.stdout)
    [owed] = [one for one in report["control"] if one["counter"] == "owed_settled"]
    assert (owed["explained"], owed["unexplained"], owed["accounts"]) == (-500, 0, 1)
    assert owed["difference"] == owed["explained"] + owed["unconfirmed"]
    assert "1 kept moving" in report["remarks"][0]
    assert report["whole"] is False
    assert report["population"]["proved"] is True


def test_an_interrupt_while_waiting_ends_with_a_report(empty_moto: Engine, tmp_path: Path) -> None:
    """Ctrl-C between two reads of the real command: one report, nothing unconfirmed a fault."""
    books = sample_books(9, datetime.now(UTC).replace(microsecond=0), accounts=40)
    fill_sandbox(empty_moto.endpoint_url, books)
    environ = isolated_environment(os.environ, sandbox_environment(empty_moto.endpoint_url))
    program = "from opskit.cli import main; main()"
    options = ("audit", "--check", "balances.*", "--settle-window", "300", "--json")
    with subprocess.Popen(
        [sys.executable, "-c", program, *options],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if "again in 300 s" in line:
                running.send_signal(signal.SIGINT)
                break
        printed, _ = running.communicate(timeout=120)
    report = json.loads(printed)
    assert running.returncode == 3
    assert report["verdict"] == "inconclusive"
    assert {f["outcome"] for f in report["findings"]} == {"inconclusive"}
    assert "interrupted" in report["remarks"][0]
