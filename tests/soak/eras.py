"""Three eras of the SDK: the guards and a part of the fault matrix hold under each.

Before 1.43.111 botocore refused a short body by itself; from 1.43.118 it accepts one; from 1.44 its
default retry mode hands corrupted items back. `python -m tests.soak.eras` makes an environment for
each under a folder (kept, and used again), which has that SDK before all else that is installed
here, and runs the tests in it; it exits 1 when one fails.
"""

import argparse
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ERAS = ("1.43.110", "1.43.127", "1.44.5")
TESTS = ("tests/unit/test_aws_guard.py", "tests/faults/test_regressions.py")
SEEDS = 6
_WITHIN_S = 1_200


def python_of(folder: Path) -> Path:
    """The interpreter of an environment."""
    return folder / "bin" / "python"


def make_environment(folder: Path, era: str) -> None:
    """An environment with one SDK, and behind it everything that is installed here."""
    if not python_of(folder).exists():
        venv.create(folder, with_pip=True)
    wanted = [f"boto3=={era}", f"botocore=={era}"]
    pip = [python_of(folder), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *wanted], check=True, timeout=_WITHIN_S)
    [site] = folder.glob("lib/python*/site-packages")
    (site / "behind.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")


def ran(folder: Path, *words: str) -> bool:
    """Whether a module's run in the environment ends well."""
    command = [python_of(folder), "-m", *words]
    return subprocess.run(command, cwd=ROOT, check=False, timeout=_WITHIN_S).returncode == 0


def holds(folder: Path, era: str, seeds: int) -> bool:
    """Whether the guards and the matrix hold under one SDK, which is found to be the one meant."""
    probe = "import botocore; print(botocore.__version__, botocore.__file__)"
    found = subprocess.run(
        [python_of(folder), "-c", probe], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    print(f"botocore {found.strip()}", flush=True)
    if found.split()[0] != era or str(folder) not in found:
        return False
    plugins = ("-p", "no:opskit.testing", "-p", "no:cacheprovider")
    tests = ran(folder, "pytest", "-q", *plugins, *TESTS)
    matrix = ran(folder, "tests.soak.faults", "--seeds", str(seeds), "--share", "4")
    return tests and matrix


def main() -> int:
    """Try every era and print which hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / ".engines" / "eras")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    options = parser.parse_args()
    results = {}
    for era in ERAS:
        folder = options.folder.resolve() / era
        make_environment(folder, era)
        results[era] = holds(folder, era, options.seeds)
    for era, good in results.items():
        print(f"botocore {era}: {'holds' if good else 'FAILED'}", flush=True)
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
