"""The fault soak: every fault at every way of reading, on as many tables as wanted.

`python -m tests.soak.faults --seeds 1000` prints a table of faults, ways and what came of them, and
every failing run as it happens with its seed; it exits 1 when there is one. `--share 8` throws an
eighth of the faults at each table, another one each time.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.line import proxied, served
from tests.faults.runs import Outcome, cases, line_cases, line_client, model_of, run, run_line
from tests.faults.seam import Seam

Chunk = tuple[range, int, bool]


def reply_runs(seed: int, share: int, seam: Seam, folder: Path) -> Iterator[Outcome]:
    """The runs of a seed whose replies are spoiled."""
    return (run(seam, seed, *case, folder) for case in cases(seed, share=share))


def line_runs(seed: int, share: int, folder: Path) -> Iterator[Outcome]:
    """The runs of a seed whose connections are spoiled."""
    model = model_of(seed)
    with served(model) as server, proxied(server) as (proxy, url):
        server.chunked = seed % 2 == 1
        line = (line_client(url), proxy, model)
        for case in line_cases(seed, share=share):
            yield run_line(line, seed, case, folder)


def chunk_runs(chunk: Chunk) -> list[Outcome]:
    """All runs of some seeds, in this process."""
    seeds, share, with_line = chunk
    seam = Seam()
    found: list[Outcome] = []
    with TemporaryDirectory(prefix="opskit-soak-") as folder:
        for seed in seeds:
            found += reply_runs(seed, share, seam, Path(folder))
            if with_line:
                found += line_runs(seed, share, Path(folder))
    return found


def table(outcomes: Counter[tuple[str, str, str]]) -> Iterator[str]:
    """A line for each fault: what came of it in each way of reading."""
    rows: dict[str, dict[str, list[str]]] = {}
    for (fault, way, came), count in sorted(outcomes.items()):
        rows.setdefault(fault, {}).setdefault(way, []).append(f"{count} {came}")
    for fault, ways in rows.items():
        yield f"{fault:42} " + " | ".join(f"{w}: {', '.join(c)}" for w, c in sorted(ways.items()))


def main() -> int:
    """Run the soak and print what came."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--share", type=int, default=1, help="one of so many faults for a table")
    parser.add_argument("--processes", type=int, default=max(1, os.cpu_count() or 1))
    parser.add_argument("--no-line", action="store_true", help="leave the TCP proxy out")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    chunks = [
        (seeds[at : at + 5], options.share, not options.no_line) for at in range(0, len(seeds), 5)
    ]
    return soak(chunks, options.processes)


def soak(chunks: list[Chunk], processes: int) -> int:
    """Run chunks of seeds in processes of their own; 1 when a run failed."""
    began, done, failed = time.monotonic(), 0, 0
    came: Counter[tuple[str, str, str]] = Counter()
    with ProcessPoolExecutor(processes) as pool:
        for outcomes in pool.map(chunk_runs, chunks):
            came.update((o.fault, str(o.way), str(o.came)) for o in outcomes)
            for outcome in outcomes:
                if outcome.wrong:
                    failed += 1
                    print(f"  FAILED {outcome}", flush=True)
            done += len({outcome.seed for outcome in outcomes})
            told = f"{done:,} seeds, {came.total():,} runs, {failed} failed"
            print(f"{told}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print("\n".join(table(came)))
    seeds = sum(len(chunk[0]) for chunk in chunks)
    elapsed = time.monotonic() - began
    print(f"{came.total():,} runs of {seeds:,} seeds in {elapsed:.0f} s, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
