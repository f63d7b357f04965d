"""A verb told to end from outside leaves nothing behind, whatever it was doing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.captures import balance, entry, write_capture

WITHIN_S = 60
CODE = "from opskit.cli import main; main()"


def reading_for_ever(tmp_path: Path) -> Path:
    """A named pipe that holds some items of a capture and never ends."""
    pipe = tmp_path / "endless.jsonl"
    os.mkfifo(pipe)
    return pipe


class Stopped(NamedTuple):
    """How a process ended that was told to: its status and outputs, and after how many seconds."""

    status: int
    out: str
    told: str
    took: float


def stopped(
    verb: list[str], number: signal.Signals, sign: tuple[Path, str], *, after: float = 0
) -> Stopped:
    """A verb told to end once its scratch folder, the place of the sign, shows that it works."""
    scratch, pattern = sign
    environ = {**os.environ, "TMPDIR": str(scratch)}
    command = [sys.executable, "-c", CODE, *verb]
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        try:
            deadline = time.monotonic() + WITHIN_S
            while not list(scratch.glob(pattern)) and time.monotonic() < deadline:
                time.sleep(0.02)
            assert list(scratch.glob(pattern))
            time.sleep(after)
            began = time.monotonic()
            child.send_signal(number)
            out, told = child.communicate(timeout=WITHIN_S)
            return Stopped(child.returncode, out, told, time.monotonic() - began)
        finally:
            child.kill()


@pytest.mark.parametrize("verb", [["audit"], ["statement", "a"]], ids=lambda verb: verb[0])
@pytest.mark.parametrize(
    ("number", "status", "said"),
    [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")],
)
def test_scratch_is_removed(
    number: signal.Signals, status: int, said: str, verb: list[str], tmp_path: Path
) -> None:
    """A process that is stopped while it reads removes its scratch snapshot and says one line."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    whole = write_capture(tmp_path / "a.jsonl", [entry("USER#a", 1, 5), balance("USER#a")])
    pipe = reading_for_ever(tmp_path)
    verb = [*verb, "--from-items", str(whole), str(pipe)]
    child = stopped(verb, number, (scratch, "opskit-*/snapshot"))
    assert child.status == status
    assert child.told.splitlines()[-1] == f"opskit: {said}; nothing more was done"
    assert "Traceback" not in child.told
    assert not list(scratch.iterdir())


QUERIES = {
    # Many short tasks, and one that lasts: the engine looks for signals only between them.
    "tasks": "SELECT count(*) FROM range(100000000000000) a, range(1000000) b",
    "one task": "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t)"
    " SELECT max(n) FROM t",
}


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize(
    ("number", "status", "said"),
    [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")],
)
def test_a_query_under_way_ends_at_once(
    number: signal.Signals, status: int, said: str, query: str, tmp_path: Path
) -> None:
    """A process that is stopped in the midst of a long query says one line, and leaves nothing."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    whole = write_capture(tmp_path / "a.jsonl", [entry("USER#a", 1, 5), balance("USER#a")])
    verb = ["sql", QUERIES[query], "--from-items", str(whole)]
    child = stopped(verb, number, (scratch, "opskit-sql-*"), after=3)
    assert (child.status, child.out) == (status, "")
    assert child.told.splitlines()[-1] == f"opskit: {said}; nothing more was done"
    assert "Traceback" not in child.told
    assert child.took < 10
    assert not list(scratch.iterdir())


def test_an_interrupt_lost_in_a_destructor_still_ends_the_verb() -> None:
    """Where Python drops the exception of a Ctrl-C, the exit status is still not 0."""
    code = (
        "import os, signal, sys, weakref, click\n"
        "from opskit.cli import cli, main\n"
        "class Thing: pass\n"
        "@click.command()\n"
        "def checks():\n"
        "    thing = Thing()\n"
        "    weakref.finalize(thing, os.kill, os.getpid(), signal.SIGINT)\n"
        "    del thing\n"
        "cli.get_command = lambda ctx, name: checks\n"
        "sys.argv = ['opskit', 'checks']\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    assert ended.returncode == 130, ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("opskit: interrupted")
