"""How fast a table is read, beside the other Python readers: a Markdown table on stdout.

`python -m tests.bench.reading [ITEMS ...] [--runs N] [--peers PYTHON]`. Peers need awswrangler,
which may live in another environment: `--peers` names its interpreter. A reader whose library is
not installed is left out and named.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from tests.bench.readers import READERS
from tests.bench.replay import replaying

ROOT = Path(__file__).resolve().parents[2]
OURS = ("floor", "opskit_columns", "opskit", "opskit_parallel")


Figures = tuple[float, float, float]
"""Seconds by the clock, seconds of the processor, and peak megabytes."""


def measured(python: str, reader: str, endpoint: str, items: int) -> Figures | None:
    """What one read in a fresh process took; None when it cannot run."""
    command = [python, "-m", "tests.bench.readers", reader, endpoint]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False
    )
    if done.returncode:
        print(done.stderr.strip().splitlines()[-1], file=sys.stderr)
        return None
    answer = json.loads(done.stdout)
    assert answer["items"] == items, f"{reader} read {answer['items']} of {items} items"
    return answer["seconds"], answer["processor"], answer["megabytes"]


def rows(items: int, options: argparse.Namespace) -> list[tuple[str, Figures]]:
    """The median seconds and largest peak of every reader, measured by turns."""
    taken: dict[str, list[Figures]] = {name: [] for name in options.readers}
    with replaying(items) as endpoint:
        for turn in range(options.runs):
            for name in list(taken):
                python = sys.executable if name in OURS else options.peers
                one = measured(python, name, endpoint, items)
                if one is None:
                    del taken[name]
                    continue
                taken[name].append(one)
                print(
                    f"{items} {turn} {name} {one[0]:.2f} s {one[1]:.2f} s {one[2]:.0f} MB",
                    file=sys.stderr,
                )
    return [
        (
            name,
            (
                statistics.median(one[0] for one in found),
                statistics.median(one[1] for one in found),
                max(one[2] for one in found),
            ),
        )
        for name, found in taken.items()
    ]


def table(items: int, found: list[tuple[str, Figures]]) -> str:
    """The figures as Markdown, with each reader's ratio to the floor and to opskit."""
    seconds = {name: figures[0] for name, figures in found}
    lines = [
        f"{items:,} ledger items, medians",
        "",
        "| reader | seconds | items a second | x floor | x opskit | processor seconds | peak MB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    ours = seconds.get("opskit", 0) or float("nan")
    lowest = seconds.get("floor", 0) or float("nan")
    lines += [
        f"| {name} | {second:.2f} | {items / second:,.0f} | {second / lowest:.1f} "
        f"| {second / ours:.1f} | {processor:.2f} | {megabytes:.0f} |"
        for name, (second, processor, megabytes) in found
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("items", nargs="*", type=int, default=[200_000, 1_000_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers", default=sys.executable)
    parser.add_argument("--readers", nargs="*", default=list(READERS))
    options = parser.parse_args()
    for items in options.items:
        print(table(items, rows(items, options)))


if __name__ == "__main__":
    main()
