"""A sandbox to play in: left running, with the tables and sample books in it."""

from collections.abc import Callable, Mapping
from datetime import datetime

from opskit.sandbox.environment import isolated_environment, sandbox_environment
from opskit.sandbox.load import fill_sandbox
from opskit.sandbox.seed import sample_books
from opskit.sandbox.server import Wanted, remember_books, start_sandbox
from opskit.sandbox.state import Sandbox

SEED = 7
"""The books every sandbox and demo has."""


def furnished_sandbox(
    *,
    environ: Mapping[str, str],
    as_of: datetime,
    wanted: Wanted | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Sandbox:
    """The sandbox left running, started and filled with sample books where it was not."""
    sandbox = start_sandbox(wanted or Wanted(), environ=environ)
    if sandbox.books:
        return sandbox
    books = sample_books(SEED, as_of)
    fill_sandbox(sandbox.endpoint_url, books, progress=progress)
    return remember_books(sandbox, books.name, environ=environ)


def lab_environment(
    *,
    environ: Mapping[str, str],
    as_of: datetime,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, str]:
    """The whole environment for JupyterLab on a furnished sandbox, which is left running."""
    sandbox = furnished_sandbox(environ=environ, as_of=as_of, progress=progress)
    return isolated_environment(environ, sandbox_environment(sandbox.endpoint_url))
