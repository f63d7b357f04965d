"""Fixtures every test may use: the real engines, started once a session and only when asked."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import hypothesis
import pytest
from engines import NAMES, Engine, missing, running

hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")  # a slow machine is no fault of what is tested

# A shell starts background jobs with interrupts ignored, and children would inherit that; the
# tests that interrupt a process need the ordinary handling.
signal.signal(signal.SIGINT, signal.default_int_handler)

SLOW = frozenset(
    "ageing bad_items checks_books checks_run cli_refusals confirm decode doctor ending"
    " explain_histories export pack present_hostile repair rollforward seed simulator_faults"
    " snapshot_diff sql".split()
)
"""The unit tests that audit hundreds of books or start whole processes; `make unit` omits them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow."""
    for item in items:
        if item.path.parent.name == "unit" and item.path.stem.removeprefix("test_") in SLOW:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def start_engine() -> Iterator[Callable[[str], Engine]]:
    """Give an engine by name, starting it the first time; a missing one skips, in CI it fails."""
    started: dict[str, Engine] = {}
    with ExitStack() as stack:

        def start(name: str) -> Engine:
            reason = missing(name)
            if reason and os.environ.get("CI") == "true":
                pytest.fail(reason)
            if reason:
                pytest.skip(reason)
            if name not in started:
                started[name] = stack.enter_context(running(name))
            return started[name]

        yield start


@pytest.fixture(scope="session", params=[pytest.param(n, marks=pytest.mark.engine) for n in NAMES])
def engine(request: pytest.FixtureRequest, start_engine: Callable[[str], Engine]) -> Engine:
    """Each of the three engines in turn, with whatever tables earlier tests left."""
    return start_engine(request.param)


@pytest.fixture
def empty_engine(engine: Engine) -> Engine:
    """Each of the three engines in turn, without a table."""
    engine.empty()
    return engine


@pytest.fixture
def empty_moto(start_engine: Callable[[str], Engine]) -> Engine:
    """Moto's server without a table."""
    moto = start_engine("moto")
    moto.empty()
    return moto


@pytest.fixture
def empty_dynamodb_local(start_engine: Callable[[str], Engine]) -> Engine:
    """DynamoDB Local without a table."""
    local = start_engine("dynamodb-local")
    local.empty()
    return local


@pytest.fixture
def empty_dynalite(start_engine: Callable[[str], Engine]) -> Engine:
    """Dynalite, whose new tables are CREATING for half a second, without a table."""
    dynalite = start_engine("dynalite")
    dynalite.empty()
    return dynalite
