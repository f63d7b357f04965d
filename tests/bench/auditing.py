"""How fast books are audited, beside plain-text accounting: Markdown tables on stdout.

`python -m tests.bench.auditing [ENTRIES ...] [--growth] [--bean-check PATH]`. Each tool runs in a
process of its own: opskit runs the full catalogue of checks on a snapshot on disk, the others their
balance report (`ledger`, `hledger`) or their check (`bean-check`) on a journal of the same entries.
Its accounts stand a hundred to a parent: `ledger` takes a time that grows with the square of those
that share one.
A tool that is not installed is left out and named; one that takes longer than the limit says so.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.snapshots import AS_OF, ENTRIES_AN_ACCOUNT, write_journal, write_snapshot

LIMIT_SECONDS = 600
GROWTH = (100_000, 1_000_000, 10_000_000)


@dataclass(frozen=True, slots=True)
class Taken:
    """What one run took; `seconds` is None when it was stopped at the limit.

    `processor` are the seconds of user and system time, which other work on the machine alters
    less than those of the clock.
    """

    seconds: float | None
    processor: float
    megabytes: float
    code: int


def apart(make: Callable[..., Path], *given: object, **options: object) -> Path:
    """What `make` gives, from a process of its own.

    The system begins a child's peak of memory at its parent's, which must stay small.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(make, *given, **options).result()


def taken(command: Sequence[str], folder: Path) -> Taken:
    """Run a command to its end or the limit, and measure it."""
    environment = {**os.environ, "HLEDGER_FILE": os.devnull, "LEDGER_FILE": os.devnull}
    started = time.monotonic()
    with (folder / "out").open("w") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            seconds = time.monotonic() - started
            if pid:
                child.returncode = os.waitstatus_to_exitcode(status)
                processor = usage.ru_utime + usage.ru_stime
                return Taken(seconds, processor, usage.ru_maxrss / 1024, child.returncode)
            if seconds > LIMIT_SECONDS:
                child.kill()
                child.wait()
                return Taken(None, 0.0, 0.0, -1)
            time.sleep(0.01)


def opskit_command(snapshot: Path) -> list[str]:
    """The audit of a snapshot, as its user runs it."""
    program = [sys.executable, "-c", "from opskit.cli import main; main()"]
    return [*program, "audit", str(snapshot), "--as-of", AS_OF.date().isoformat(), "--json"]


def peers(snapshot: Path, folder: Path, bean_check: str) -> Iterator[tuple[str, list[str]]]:
    """The other tools that are here, each with its command on a journal of the same entries."""
    journal = apart(write_journal, snapshot, folder / "books.journal", beancount=False)
    found = {name: shutil.which(name) for name in ("ledger", "hledger")}
    found["bean-check"] = shutil.which(bean_check)
    for name, path in found.items():
        if path is None:
            print(f"{name} is not installed and is left out", file=sys.stderr)
        elif name == "bean-check":
            books = apart(write_journal, snapshot, folder / "books.beancount", beancount=True)
            yield name, [path, "--no-cache", str(books)]
        else:
            yield name, [path, "-f", str(journal), "balance"]


def compared(entries: int, bean_check: str) -> None:
    """Print what every tool took for that many entries."""
    print(f"\n### {entries:,} entries in {entries // ENTRIES_AN_ACCOUNT:,} accounts\n")
    print(f"Load average before: {os.getloadavg()[0]:.1f}\n")
    print("| tool | work | seconds | processor s | MB | times opskit |")
    print("|---|---|---:|---:|---:|---:|")
    with TemporaryDirectory() as name:
        folder = Path(name)
        snapshot = apart(write_snapshot, folder / "snapshot", entries)
        ours = taken(opskit_command(snapshot), folder)
        assert ours.code == 0, (folder / "out").read_text()[-2_000:]
        print(row("opskit", "full catalogue of checks", ours, ours))
        for tool, command in peers(snapshot, folder, bean_check):
            work = "check" if tool == "bean-check" else "balance report"
            print(row(tool, work, taken(command, folder), ours))


def row(tool: str, work: str, one: Taken, ours: Taken) -> str:
    """One tool's line of the table."""
    if one.seconds is None or ours.seconds is None:
        return f"| {tool} | {work} | over {LIMIT_SECONDS} | | | |"
    ratio = one.seconds / ours.seconds
    failed = "" if one.code == 0 else f" (exit {one.code})"
    took = f"{one.seconds:.2f} | {one.processor:.2f} | {one.megabytes:,.0f}"
    return f"| {tool} | {work}{failed} | {took} | {ratio:.1f} |"


def growth() -> None:
    """Print how opskit's figures grow with the books."""
    print(
        "\n### Growth\n\n| entries | seconds | processor s | processor µs an entry | MB |"
        "\n|---:|---:|---:|---:|---:|"
    )
    for entries in GROWTH:
        with TemporaryDirectory() as name:
            snapshot = apart(write_snapshot, Path(name) / "snapshot", entries)
            one = taken(opskit_command(snapshot), Path(name))
            assert one.code == 0, (Path(name) / "out").read_text()[-2_000:]
        each = one.processor / entries * 1e6
        took = f"{one.seconds or LIMIT_SECONDS:.2f} | {one.processor:.2f} | {each:.1f}"
        print(f"| {entries:,} | {took} | {one.megabytes:,.0f} |")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.auditing")
    parser.add_argument("entries", nargs="*", type=int, default=[100_000, 1_000_000])
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--bean-check", default="bean-check")
    options = parser.parse_args(arguments)
    for entries in options.entries:
        compared(entries, options.bean_check)
    if options.growth:
        growth()


if __name__ == "__main__":
    main()
