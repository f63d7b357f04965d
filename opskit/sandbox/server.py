"""Starting, finding and stopping a sandbox."""

import contextlib
import http.client
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from opskit.errors import SandboxError
from opskit.sandbox.state import (
    Engine,
    Sandbox,
    end_process,
    forget_state,
    is_alive,
    only_one,
    process_identity,
    read_state,
    state_folder,
    write_state,
)

READY_SECONDS = 60.0
STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """The sandbox asked for; port 0 is any free one, `path` is DynamoDB Local's folder."""

    engine: Engine = Engine.MOTO
    path: Path | None = None
    port: int = 0


def current_sandbox(environ: Mapping[str, str]) -> Sandbox | None:
    """The sandbox that `start_sandbox` left running, if it still is."""
    held = read_state(state_folder(environ))
    return held if held and is_alive(held) else None


def start_sandbox(wanted: Wanted, *, environ: Mapping[str, str]) -> Sandbox:
    """Start a sandbox that outlives this process, or return the one that already runs.

    Raises SandboxError when it does not answer in time, or when one runs that is not the wanted.
    """
    folder = state_folder(environ)
    with only_one(folder):
        held = read_state(folder)
        if held and is_alive(held):
            return _as_wanted(held, wanted)
        log_path = folder / "sandbox.log"
        with log_path.open("w+b") as log:
            started = _launch(wanted, log, environ, lasting=True)
        sandbox = replace(started.sandbox, log=str(log_path))
        write_state(folder, sandbox)
    return sandbox


def stop_sandbox(environ: Mapping[str, str]) -> Sandbox | None:
    """Stop the sandbox that was left running and return it; None when none runs."""
    folder = state_folder(environ)
    with only_one(folder):
        held = read_state(folder)
        alive = held is not None and is_alive(held)
        if held and alive:
            _stop(held)
        forget_state(folder)
    return held if alive else None


def remember_books(sandbox: Sandbox, books: str, *, environ: Mapping[str, str]) -> Sandbox:
    """Note in the state which sample books the sandbox holds now."""
    filled = replace(sandbox, books=books)
    write_state(state_folder(environ), filled)
    return filled


@contextlib.contextmanager
def running_sandbox(
    wanted: Wanted | None = None, *, environ: Mapping[str, str] | None = None
) -> Iterator[Sandbox]:
    """Run a sandbox for the length of a block; it ends with the block or with this process."""
    surroundings = os.environ if environ is None else environ
    with tempfile.TemporaryFile() as log:
        started = _launch(wanted or Wanted(), log, surroundings, lasting=False)
        try:
            yield started.sandbox
        finally:
            _end(started.child)


@dataclass(frozen=True, slots=True)
class _Started:
    sandbox: Sandbox
    child: "subprocess.Popen[bytes]"


def _as_wanted(held: Sandbox, wanted: Wanted) -> Sandbox:
    if held.engine is wanted.engine and wanted.port in {0, held.port}:
        return held
    message = f"a {held.engine} sandbox already runs on port {held.port}"
    raise SandboxError(f"{message}; `opskit sandbox down` stops it first")


def _launch(
    wanted: Wanted, log: IO[bytes], environ: Mapping[str, str], *, lasting: bool
) -> _Started:
    """Start the child and wait until it answers; whatever goes wrong, no child is left."""
    deadline = time.monotonic() + READY_SECONDS
    child = subprocess.Popen(
        _command(wanted, lasting=lasting),
        stdin=subprocess.DEVNULL if lasting else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        start_new_session=True,  # neither the shell's end nor its Ctrl-C is the sandbox's
        env=_child_environment(environ),
    )
    try:
        port = _announced_port(child, deadline)
        _await_answer(child, port, deadline)
    except BaseException as error:
        _end(child)
        if isinstance(error, TimeoutError | ConnectionError):
            raise SandboxError(_failure(wanted, log)) from None
        raise
    identity = process_identity(child.pid)
    return _Started(Sandbox(wanted.engine, child.pid, port, identity, ""), child)


def _command(wanted: Wanted, *, lasting: bool) -> list[str]:
    command = [sys.executable, "-m", "opskit.sandbox.child", "--port", str(wanted.port)]
    if not lasting:
        command.append("--until-eof")
    if wanted.engine is Engine.DYNAMODB_LOCAL:
        command += ["--dynamodb-local", str(_checked_folder(wanted.path))]
    return command


def _checked_folder(path: Path | None) -> Path:
    if path is None or not (path / "DynamoDBLocal.jar").is_file():
        given = "no folder was given" if path is None else f"{path} holds no DynamoDBLocal.jar"
        raise SandboxError(f"{given}; --path names DynamoDB Local's folder")
    return path.resolve()


def _child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The parent's environment without anything of AWS: an emulator needs no one's credentials."""
    return {name: value for name, value in environ.items() if not name.startswith("AWS_")}


def _announced_port(child: "subprocess.Popen[bytes]", deadline: float) -> int:
    if child.stdout is None:
        raise ConnectionError
    with child.stdout as stdout:
        ready, _, _ = select.select([stdout], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError
        line = stdout.readline().strip()
    if not line.isdigit():
        child.wait(STOP_SECONDS)
        raise ConnectionError
    return int(line)


def _await_answer(child: "subprocess.Popen[bytes]", port: int, deadline: float) -> None:
    while not answers(port):
        if child.poll() is not None:
            raise ConnectionError
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.05)


def answers(port: int) -> bool:
    """Whether something on the port of this machine speaks HTTP."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _failure(wanted: Wanted, log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    last = lines[-1].strip() if lines else "it said nothing"
    return f"the {wanted.engine} sandbox did not start: {last}; try another --port or --engine"


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End a child of this process and wait until it is gone."""
    if child.stdin:
        child.stdin.close()
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait(STOP_SECONDS)


def _stop(sandbox: Sandbox) -> None:
    """End a remembered process, asking first; SandboxError when it will not go."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if is_alive(sandbox):
            end_process(sandbox.pid, number)
        deadline = time.monotonic() + STOP_SECONDS
        while is_alive(sandbox) and time.monotonic() < deadline:
            time.sleep(0.02)
    if is_alive(sandbox):
        raise SandboxError(f"the sandbox, process {sandbox.pid}, does not stop; end it by hand")
