"""Every soak in turn, each in a process of its own: `python -m tests.soak`, or by `make soak`.

What is named is run alone: `python -m tests.soak faults`. `--brief` takes a small part of each.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOAKS: dict[str, tuple[list[str], list[str]]] = {
    "histories": (["--histories", "100000"], ["--histories", "2000"]),
    "faults": (["--seeds", "1000", "--share", "24"], ["--seeds", "10", "--share", "24"]),
    "live_writers": ([], ["--accounts", "12", "--audits", "2"]),
    "eras": ([], ["--seeds", "2"]),
    "native": (["--seconds", "600"], ["--seconds", "20"]),
}
"""The options of each soak: in full, and in brief."""


def main() -> int:
    """Run the soaks and print how each ended; 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("soaks", nargs="*", metavar="SOAK", help=f"of {', '.join(SOAKS)}")
    parser.add_argument("--brief", action="store_true", help="take a small part of each")
    options = parser.parse_args()
    if unknown := set(options.soaks) - set(SOAKS):
        parser.error(f"no such soak: {', '.join(sorted(unknown))}")
    ends = {name: _run(name, brief=options.brief) for name in options.soaks or SOAKS}
    for name, (status, seconds) in ends.items():
        print(f"{name}: {'held' if status == 0 else f'FAILED ({status})'} in {seconds:.0f} s")
    return 1 if any(status for status, _ in ends.values()) else 0


def _run(name: str, *, brief: bool) -> tuple[int, float]:
    began = time.monotonic()
    command = [sys.executable, "-m", f"tests.soak.{name}", *SOAKS[name][brief]]
    print(f"== {' '.join(command[1:])}", flush=True)
    done = subprocess.run(command, cwd=ROOT, check=False)
    return done.returncode, time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
