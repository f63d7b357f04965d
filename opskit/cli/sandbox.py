"""`opskit sandbox up|down|status`: an engine on this machine that outlives the shell."""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opskit.cli.given import PATH
from opskit.cli.options import Common, common_options, progress

if TYPE_CHECKING:
    from opskit.sandbox.state import Sandbox

NOT_RUNNING = 1
"""`status` ends with this when no sandbox runs, as `systemctl` and its kind do."""


@click.group(short_help="A DynamoDB of your own on this machine.")
def sandbox() -> None:
    """Run a DynamoDB of your own on this machine, for trying things out."""


@sandbox.command()
@click.option(
    "--engine",
    type=click.Choice(["moto", "dynamodb-local"]),
    default="moto",
    show_default=True,
    help="What answers as DynamoDB.",
)
@click.option("--path", type=PATH, help="The folder of DynamoDB Local.")
@click.option("--port", type=click.IntRange(1, 65535), help="Its port; any free one otherwise.")
@click.option("--books", is_flag=True, help="Also make the nine tables and load sample books.")
@common_options
def up(common: Common, *, engine: str, path: Path | None, port: int | None, books: bool) -> None:
    """Start the sandbox, or find the one that runs, and print how to use it."""
    from opskit.sandbox.lab import furnished_sandbox
    from opskit.sandbox.server import Wanted, start_sandbox
    from opskit.sandbox.state import Engine

    wanted = Wanted(Engine(engine), path, port or 0)
    if books:
        running = furnished_sandbox(
            environ=os.environ, as_of=common.as_of, wanted=wanted, progress=progress
        )
    else:
        running = start_sandbox(wanted, environ=os.environ)
    _tell(common, running)


@sandbox.command()
@common_options
def down(common: Common) -> None:
    """Stop the sandbox and forget it; what it held is gone."""
    from opskit.sandbox.server import stop_sandbox

    stopped = stop_sandbox(os.environ)
    if common.json:
        common.emit({"state": "stopped", "pid": stopped.pid if stopped else None})
    elif stopped:
        click.echo(f"stopped the {stopped.engine} sandbox on port {stopped.port}")
    else:
        click.echo("no sandbox was running")


@sandbox.command()
@common_options
def status(common: Common) -> None:
    """Say whether a sandbox runs (exit 0) or not (exit 1), and how to use it."""
    from opskit.sandbox.server import answers, current_sandbox

    running = current_sandbox(os.environ)
    if running is None:
        if common.json:
            common.emit({"state": "down"})
        else:
            click.echo("no sandbox is running; `opskit sandbox up` starts one")
        raise SystemExit(NOT_RUNNING)
    if not answers(running.port):
        progress(f"it runs but does not answer; its log is {running.log}")
    _tell(common, running)


def _tell(common: Common, running: "Sandbox") -> None:
    """Print where the sandbox is and the variables that lead to it, ready to be copied."""
    from opskit.sandbox.environment import sandbox_environment

    variables = sandbox_environment(running.endpoint_url)
    if common.json:
        common.emit(
            {
                "state": "running",
                "engine": running.engine.value,
                "endpoint": running.endpoint_url,
                "pid": running.pid,
                "log": running.log,
                "books": running.books,
                "environment": variables,
            }
        )
        return
    held = f"with sample books ({running.books})" if running.books else "empty when it was started"
    click.echo(f"# {running.engine} on {running.endpoint_url}, process {running.pid}, {held}")
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")
    click.echo("# then for example: opskit plan; stop it with `opskit sandbox down`")
