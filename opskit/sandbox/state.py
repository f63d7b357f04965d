"""What is remembered of a running sandbox, and whether a process still is the one remembered."""

import contextlib
import fcntl
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from opskit.errors import SandboxError


class Engine(StrEnum):
    """What answers as DynamoDB."""

    MOTO = "moto"
    DYNAMODB_LOCAL = "dynamodb-local"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox that was started: its process, its port, its log.

    `identity` tells its process from a later one with the same number; `books` says which sample
    books it holds, "" for none.
    """

    engine: Engine
    pid: int
    port: int
    identity: str
    log: str
    books: str = ""

    @property
    def endpoint_url(self) -> str:
        """Where clients are to send."""
        return f"http://127.0.0.1:{self.port}"


def state_folder(environ: Mapping[str, str]) -> Path:
    """The user's own folder for opskit's state, made with mode 0700."""
    base = environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    folder = Path(environ.get("OPSKIT_STATE_DIR") or Path(base) / "opskit")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        message = f"{folder} cannot be used: {error.strerror}; set OPSKIT_STATE_DIR to a folder"
        raise SandboxError(message) from None
    return folder


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: of two commands at once, one waits."""
    with (folder / "sandbox.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_state(folder: Path, sandbox: Sandbox) -> None:
    """Remember a sandbox; a reader sees the old state or the new, never half of one."""
    draft = folder / "sandbox.json.new"
    draft.write_text(json.dumps(asdict(sandbox), indent=2) + "\n")
    draft.replace(folder / "sandbox.json")


def read_state(folder: Path) -> Sandbox | None:
    """The sandbox remembered, running or not."""
    path = folder / "sandbox.json"
    try:
        held = json.loads(path.read_text())
        return Sandbox(**{**held, "engine": Engine(held["engine"])})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        message = f"{path} is not a sandbox's state; see what it names, then remove it"
        raise SandboxError(message) from None


def forget_state(folder: Path) -> None:
    """Remember no sandbox."""
    (folder / "sandbox.json").unlink(missing_ok=True)


def process_identity(pid: int) -> str:
    """The start and the command of a process, which no later process shares; "" when it is gone."""
    proc = Path("/proc") / str(pid)
    if not Path("/proc/self/stat").exists():
        return _identity_by_ps(pid)
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        after_name = (proc / "stat").read_text().rpartition(")")[2].split()
        command = (proc / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
    return f"{boot} {after_name[19]} {command.strip()}" if command else ""  # a zombie has none


def _identity_by_ps(pid: int) -> str:
    ask = ["ps", "-o", "lstart=,command=", "-p", str(pid)]
    found = subprocess.run(ask, capture_output=True, text=True, check=False, timeout=10)
    text = found.stdout.strip()
    return "" if "<defunct>" in text else text


def is_alive(sandbox: Sandbox) -> bool:
    """Whether the remembered process still runs and is the one remembered."""
    return bool(sandbox.identity) and process_identity(sandbox.pid) == sandbox.identity


def end_process(pid: int, signal_number: int) -> None:
    """Send a signal; a process that is already gone is what was wanted."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal_number)
