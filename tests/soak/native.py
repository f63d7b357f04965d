"""The compiled reader under the sanitizers: no byte outside its memory, whatever the input.

`python -m tests.soak.native --seconds 300` compiles its sources with AddressSanitizer and
UndefinedBehaviorSanitizer, and gives it pages of ledger items with bytes replaced, cut and put in.
It needs GCC or Clang with their sanitizers, prints the number of pages, and exits 1 at the first
fault, whose report then stands on stderr.
"""

import argparse
import os
import subprocess
import sys
import sysconfig
import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "opskit" / "read" / "native").glob("*.c"))
_MODULE = "opskit.read._plain"
_PIECES = (
    *(b'"B"', b'{"NULL":true}', b'{"M":{}}', b'{"S":"x"}', b'{"N":"-1"}', b'{"BOOL":true}'),
    *(b"\\u0041", b"\xc3\xa9", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x00", b"\\", b'"'),
    *(b"1e5", b"-", b"9" * 20, b"USER#", b"LEDGER#", b"BALANCE", b'"pk":', b'"user_sub":'),
    *(b"[" * 300, b"]", b"}", b"{", b",", b"\n", b" "),
)


def compiled(folder: Path) -> Path:
    """The extension with sanitizers."""
    made = folder / "_plain.abi3.so"
    flags = ["-std=c11", "-O1", "-g", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror"]
    flags += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    include = f"-I{sysconfig.get_path('include')}"
    subprocess.run(["cc", *flags, include, *map(str, SOURCES), "-o", str(made)], check=True)
    return made


def under_sanitizers(made: Path, seconds: float, seed: int) -> int:
    """The exit status of this module run again with the sanitizers' library loaded first."""
    library = subprocess.run(
        ["cc", "-print-file-name=libasan.so"], check=True, capture_output=True, text=True
    ).stdout.strip()
    environ = os.environ | {
        "LD_PRELOAD": library,
        "ASAN_OPTIONS": "detect_leaks=0",  # the interpreter's own would drown all others
        "PYTHONMALLOC": "malloc",
    }
    words = ["--seconds", str(seconds), "--seed", str(seed), "--extension", str(made)]
    command = [sys.executable, "-m", "tests.soak.native", *words]
    return subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode


def spoiled(rng: Random, whole: bytes) -> bytes:
    """The bytes with a few of them replaced, or cut off."""
    page = bytearray(whole)
    for _ in range(rng.randrange(5)):
        start = rng.randrange(len(page) + 1)
        put = rng.choice(_PIECES) if rng.random() < 0.7 else bytes([rng.randrange(256)])
        page[start : start + rng.randrange(6)] = put
    return bytes(page[: rng.randrange(len(page) + 1)]) if rng.random() < 0.2 else bytes(page)


def load(extension: Path) -> Any:
    """The product's own plan and the sanitized code that reads by it."""
    import opskit.read

    spec = spec_from_file_location(_MODULE, extension)
    assert spec is not None
    assert spec.loader is not None
    sanitized = module_from_spec(spec)
    spec.loader.exec_module(sanitized)
    sys.modules[_MODULE] = sanitized
    opskit.read._plain = sanitized  # type: ignore[attr-defined]
    from opskit.read import plain

    assert plain.compiled is sanitized
    return plain


def read_for(extension: Path, seconds: float, seed: int) -> int:
    """Read spoiled pages for so long; how many, and how many of them had items."""
    from tests.bench.books import ledger_items

    plain, rng = load(extension), Random(seed)
    items = list(ledger_items(4))
    pages = [b"[" + b",".join(items) + b"]", b"".join(b'{"Item":%b}\n' % item for item in items)]
    end, read, answered = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        wrapped = rng.randrange(2)
        found = plain.plain_items(spoiled(rng, pages[wrapped]), None, wrapped=bool(wrapped))
        answered += found is not None
        read += 1
    print(f"{read:,} pages read, {answered:,} of them with items, seed {seed}")
    return 0 if answered else 1


def main() -> int:
    """Compile, then read."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--extension", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.extension:
        return read_for(options.extension, options.seconds, options.seed)
    with TemporaryDirectory(prefix="opskit-soak-") as folder:
        return under_sanitizers(compiled(Path(folder)), options.seconds, options.seed)


if __name__ == "__main__":
    sys.exit(main())
