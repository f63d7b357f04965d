"""The soak: many simulated histories, audited and held against the truth.

`python -m tests.soak.histories --histories 100000` runs in batches and prints the seeds of every
history that the audit got wrong; it exits 1 when a promise is broken. `--seed 27310` runs single
seeds instead, and prints what was injected beside what the audit says of it.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from opskit.audit.explain.findings import DRIFT_CHECK
from opskit.audit.run import audit_snapshot
from opskit.read.snapshot import open_snapshot
from opskit.sandbox.simulator import AS_OF, STORMY, History, simulate
from opskit.sandbox.simulator.judge import Score, audit_histories

BATCH = 5_000
STORMY_OF_FIVE = 3
"""Of five histories three have faults, one is clean, one is cut in the middle of its writes."""

CLASS_RIGHT = 0.98
"""The share of all drifted accounts whose explanation must have the true classes."""


def history(seed: int) -> History:
    """The soak's history of a seed: with faults, clean, or in flight."""
    kind = seed % 5
    if kind < STORMY_OF_FIVE:
        return simulate(seed, faults=STORMY)
    if kind == STORMY_OF_FIVE:
        return simulate(seed)
    writes = simulate(seed).writes
    return simulate(seed, stop_after=1 + seed * 7_919 % writes)


def scores(count: int, first: int = 0) -> Iterator[Score]:
    """The score of each batch of histories."""
    for start in range(first, first + count, BATCH):
        seeds = range(start, min(start + BATCH, first + count))
        with TemporaryDirectory(prefix="opskit-soak-") as folder:
            yield audit_histories([history(seed) for seed in seeds], Path(folder), AS_OF)


def broken(score: Score) -> str:
    """The promises about every history that a batch broke, with seeds; "" when none."""
    faults = {"missed": score.missed, "invented": score.invented, "unlisted": score.unlisted}
    told = [f"{name}: seeds {', '.join(map(str, s))}" for name, s in faults.items() if s]
    return "; ".join(told)


def told(seed: int) -> Iterator[str]:
    """One seed's history: what was injected, what the audit says of it, and where it was wrong."""
    one = history(seed)
    yield f"seed {seed}: {one.account}, {one.writes} writes, drift {one.drift.nonzero()}"
    yield from (
        f"  injected {fault.fault_class}: {', '.join(fault.keys)}" for fault in one.injected
    )
    with TemporaryDirectory(prefix="opskit-soak-") as folder:
        score = audit_histories([one], Path(folder), AS_OF)
        report = audit_snapshot(open_snapshot(Path(folder) / "snapshot"), as_of=AS_OF)
    for finding in report.findings:
        if finding.check == DRIFT_CHECK and finding.explanation:
            yield f"  explained {finding.explanation.fault_class}: {finding.explanation.text}"
    yield f"  {broken(score) or ('misread' if score.misread else 'right')}"


def main() -> int:
    """Run the soak and print a line a batch, or single seeds and print what came of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--histories", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, nargs="+", default=[], help="run these seeds alone")
    options = parser.parse_args()
    for seed in options.seed:
        print("\n".join(told(seed)), flush=True)
    return 0 if options.seed else soak(options.histories, options.first)


def soak(histories: int, first: int) -> int:
    """Run histories in batches and print a line a batch; 1 when a promise was broken."""
    started, status, totals = time.monotonic(), 0, [0, 0, 0, 0]
    for score in scores(histories, first):
        counted = (score.histories, score.drifted, len(score.misread), score.exact)
        totals = [a + b for a, b in zip(totals, counted, strict=True)]
        done, drifted, misread, exact = totals
        print(
            f"{done:,} histories, {drifted:,} drifted, class right "
            f"{1 - misread / max(drifted, 1):.2%} (exactly {exact / max(drifted, 1):.2%}), "
            f"{time.monotonic() - started:.0f} s",
            flush=True,
        )
        if problem := broken(score):
            print(f"  {problem}", flush=True)
            status = 1
        if score.misread:
            print(f"  misread: seeds {', '.join(map(str, score.misread))}", flush=True)
    drifted, misread = totals[1:3]
    return 1 if misread > drifted * (1 - CLASS_RIGHT) else status


if __name__ == "__main__":
    sys.exit(main())
