"""pytest plugin: runbooks as tests, on a sandbox, with parameters and assertions beside them.

Load it with `-p opskit.testing` next to nbval's own options. For `notebooks/30_balance_audit.ipynb`
the file `tests/notebooks/balance_audit.py` may hold

- `BOOKS`: what the sandbox holds before the first cell, a `Books` value ("seeded" when absent);
- `parameters() -> dict`: values for the parameters cell, computed when the sandbox is ready;
- functions named `check_...`: each is one test after the last cell; an argument is the runbook's
  own variable of that name. They run inside the kernel.

A file stops at its first failed cell. All use of nbval's classes is here.
"""

import importlib.util
import inspect
import os
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import nbformat
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from opskit.notebook.parameters import check_values
from opskit.notebook.runbook import load_runbook
from opskit.sandbox.environment import isolated_environment, sandbox_environment
from opskit.sandbox.lab import SEED
from opskit.sandbox.load import fill_sandbox, make_tables, seeding_client
from opskit.sandbox.seed import sample_books
from opskit.sandbox.server import running_sandbox

NBVAL_FLOOR = (0, 11)
CHECK_PREFIX = "check_"
SANITISE_FILE = "tests/nbval_sanitize.cfg"
AS_OF = datetime(2026, 12, 1, tzinfo=UTC)
"""The day the seeded books end on."""


class Books(StrEnum):
    """What the sandbox holds when a runbook starts."""

    EMPTY = "empty"
    TABLES = "tables"
    SEEDED = "seeded"


@dataclass
class Bench:
    """The sandbox of one test session, and the notebook it is set up for."""

    stack: ExitStack = field(default_factory=ExitStack)
    endpoint: str = ""
    notebook: Path | None = None
    failed: set[Path] = field(default_factory=set)
    patch: pytest.MonkeyPatch = field(default_factory=pytest.MonkeyPatch)


BENCH = pytest.StashKey[Bench]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a project keep its assertions elsewhere."""
    parser.addini("opskit_checks", "folder of the runbooks' assertions", default="tests/notebooks")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse an nbval whose classes are not the ones used here; find the sanitise file."""
    numbers = tuple(int(part) for part in version("nbval").split(".")[:2])
    if numbers < NBVAL_FLOOR:
        raise pytest.UsageError(f"nbval {version('nbval')} is too old; install nbval>=0.11")
    config.stash[BENCH] = Bench()
    path = config.rootpath / SANITISE_FILE
    if config.option.nbval_sanitize_with is None and path.is_file():
        config.option.nbval_sanitize_with = str(path)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the sandbox, if one was started."""
    bench = config.stash.get(BENCH, None)
    if bench is not None:
        bench.patch.undo()
        bench.stack.close()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the injected parameters and the assertions to each notebook's cells."""
    items[:] = [added for item in items for added in _with_additions(config, item)]


def _with_additions(config: pytest.Config, item: pytest.Item) -> Iterator[pytest.Item]:
    yield item
    if not isinstance(item, IPyNbCell):
        return
    checks = load_checks(config, item.path)
    if checks is None:
        return
    if "parameters" in item.cell.metadata.get("tags", []) and hasattr(checks, "parameters"):
        yield ParametersCell.of(item, "injected parameters", "")
    if item.cell is _last_cell(item.parent):
        for name in check_names(checks):
            source = check_source(Path(str(checks.__file__)), name)
            yield CheckCell.of(item, name, source)


def _last_cell(file: IPyNbFile) -> object:
    return [cell for cell in file.nb.cells if cell.cell_type == "code"][-1]


def load_checks(config: pytest.Config, notebook: Path) -> ModuleType | None:
    """The module of assertions beside a notebook, None when it has none."""
    slug = load_runbook(notebook).slug
    path = config.rootpath / config.getini("opskit_checks") / f"{slug}.py"
    return load_module(path) if path.is_file() else None


def load_module(path: Path) -> ModuleType:
    """Import a file by its path, under no name that another module could have."""
    spec = importlib.util.spec_from_file_location(f"opskit_checks_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise pytest.UsageError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_names(checks: ModuleType) -> list[str]:
    """The assertions of a module, in the order they are written."""
    return [name for name in vars(checks) if name.startswith(CHECK_PREFIX)]


def check_source(path: Path, name: str) -> str:
    """The cell that runs one assertion on the runbook's variables."""
    return (
        "from opskit.testing import run_check\n"
        f"run_check({str(path)!r}, {name!r}, globals())\n"
        "del run_check"
    )


def run_check(path: str, name: str, names: Mapping[str, object]) -> None:
    """Call one assertion with the runbook's variables that its arguments name."""
    check: Callable[..., None] = getattr(load_module(Path(path)), name)
    wanted = inspect.signature(check).parameters
    missing = [argument for argument in wanted if argument not in names]
    if missing:
        raise AssertionError(f"{name}: the runbook has no variable {', '.join(missing)}")
    check(**{argument: names[argument] for argument in wanted})


class AddedCell(IPyNbCell):  # type: ignore[misc]
    """A cell that is not in the notebook."""

    @classmethod
    def of(cls, neighbour: IPyNbCell, name: str, source: str) -> "AddedCell":
        """A cell beside another one of the same file."""
        new_cell: Callable[[str], Any] = nbformat.v4.new_code_cell  # not annotated there
        cell = new_cell(source)
        options = {"check": False, "skip": False, "check_exception": False}
        added: AddedCell = cls.from_parent(
            neighbour.parent, name=name, cell_num=neighbour.cell_num, cell=cell, options=options
        )
        return added


class ParametersCell(AddedCell):
    """The values of a notebook's parameters, checked by the runbook's own contract."""

    def setup(self) -> None:
        """Compute the values: the sandbox is ready now."""
        super().setup()
        checks = load_checks(self.config, self.path)
        values = checks.parameters() if checks else {}
        check_values(load_runbook(self.path).parameters, values)
        self.cell.source = "\n".join(f"{name} = {value!r}" for name, value in values.items())


class CheckCell(AddedCell):
    """One assertion about what the notebook left."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Prepare the sandbox before a notebook's kernel starts; skip what follows a failed cell."""
    if not isinstance(item, IPyNbCell):
        return
    bench = item.config.stash[BENCH]
    if item.path in bench.failed:
        pytest.skip("an earlier cell of this notebook failed")
    if bench.notebook != item.path:
        prepare(bench, item)


def prepare(bench: Bench, item: pytest.Item) -> None:
    """Empty and fill the sandbox for one notebook, and point the environment at it."""
    if not bench.endpoint:
        bench.endpoint = bench.stack.enter_context(running_sandbox()).endpoint_url
    bench.notebook = item.path
    runs = bench.stack.enter_context(TemporaryDirectory(prefix="opskit-runs-"))
    variables = {**sandbox_environment(bench.endpoint), "OPSKIT_RUNS_DIR": runs}
    use_environment(bench.patch, isolated_environment(os.environ, variables))
    checks = load_checks(item.config, item.path)
    reset(bench.endpoint)
    fill(bench.endpoint, Books(getattr(checks, "BOOKS", Books.SEEDED)))


def use_environment(patch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    """Make the process's environment this one, so that a kernel inherits it."""
    for name in os.environ.keys() - environment.keys():
        patch.delenv(name)
    for name, value in environment.items():
        patch.setenv(name, value)


def fill(endpoint: str, books: Books) -> None:
    """Make what the notebook is to find."""
    if books is Books.SEEDED:
        fill_sandbox(endpoint, sample_books(SEED, AS_OF))
    elif books is Books.TABLES:
        make_tables(seeding_client(endpoint), endpoint)


def reset(endpoint: str) -> None:
    """Empty a moto server."""
    request = urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        answer.read()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Give the environment back after a notebook's last cell."""
    bench = item.config.stash[BENCH]
    if bench.notebook == item.path and (nextitem is None or nextitem.path != item.path):
        bench.patch.undo()
        bench.notebook = None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Any:
    """Remember the notebook whose cell failed; a failed assertion stops nothing."""
    report = yield
    cell = isinstance(item, IPyNbCell) and not isinstance(item, CheckCell)
    if call.excinfo and report.failed and cell:
        item.config.stash[BENCH].failed.add(item.path)
    return report
