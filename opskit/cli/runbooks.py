"""`opskit run` and `opskit lab`: runbooks with nobody watching, and in JupyterLab."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from opskit.cli.given import PATH
from opskit.cli.options import Common, common_options, progress
from opskit.cli.outputs import require_folder
from opskit.errors import InputError
from opskit.notebook.parameters import parameters_text, require_paths, values_from_text
from opskit.notebook.record import RUNS_VARIABLE, RunRecord, record_document, runs_folder
from opskit.notebook.runbook import Runbook, find_runbook, notebooks_folder, runbook_files


@click.command(short_help="Run a runbook headless, with a record.")
@click.argument("notebook", required=False)
@click.option(
    "-p", "--parameter", "given", multiple=True, metavar="NAME=VALUE", help="Set a value."
)
@click.option("--parameters", "show", is_flag=True, help="List what the runbook takes, and stop.")
@click.option("--runs-dir", type=PATH, help="Where run folders are made.")
@click.option("--timeout", type=click.IntRange(1), default=3600, help="Seconds a cell may take.")
@common_options
def run(
    common: Common,
    *,
    notebook: str | None,
    given: tuple[str, ...],
    show: bool,
    runs_dir: Path | None,
    timeout: int,
) -> None:
    """Run the runbook NOTEBOOK headless into runs/<time>_<name>_<id>/.

    Without NOTEBOOK the runbooks are listed. The exit status is the runbook's verdict.
    """
    from opskit.notebook.run import run_notebook

    if notebook is None:
        _list_runbooks()
        return
    runbook = find_runbook(notebook, start=Path.cwd(), environ=os.environ)
    if show:
        click.echo(f"{runbook.slug}: {runbook.title}\n{parameters_text(runbook.parameters)}")
        return
    values = values_from_text(runbook.parameters, _with_as_of(common, runbook, given))
    require_paths(runbook.parameters, values, Path.cwd())
    folder = place_of_runs("--runs-dir", runs_dir, runbook.path.parent.parent)
    progress(f"running {runbook.slug} ...")
    environment = kernel_environment(common, os.environ)
    record = run_notebook(
        runbook, values, runs_dir=folder, environment=environment, timeout=timeout
    )
    _tell(common, record, folder)
    raise SystemExit(record.exit_code)


def place_of_runs(option: str, given: Path | None, project: Path) -> Path:
    """The folder that run folders are made in, by the option or else the environment."""
    folder = given or runs_folder(project, os.environ)
    named = option if given else RUNS_VARIABLE if os.environ.get(RUNS_VARIABLE) else "runs folder"
    require_folder(named, folder)
    return folder


def _list_runbooks() -> None:
    folder = notebooks_folder(Path.cwd(), os.environ)
    for slug in runbook_files(folder):
        runbook = find_runbook(slug, start=folder, environ=os.environ)
        click.echo(f"{slug:<20} {runbook.title}")


def _with_as_of(common: Common, runbook: Runbook, given: tuple[str, ...]) -> tuple[str, ...]:
    """Let `--as-of` fill the runbook's own parameter, so that one date rules the run."""
    source = click.get_current_context().get_parameter_source("as_of")
    takes = any(parameter.name == "as_of" for parameter in runbook.parameters)
    if source is not click.core.ParameterSource.COMMANDLINE:
        return given
    if not takes:
        raise InputError(f"--as-of: runbook {runbook.slug} judges nothing by date; leave it out")
    return (*given, f"as_of={common.as_of:%Y-%m-%dT%H:%M:%SZ}")


def kernel_environment(common: Common, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with the shared options in it, so that the kernel finds the same settings."""
    given = {
        "AWS_REGION": common.region,
        "AWS_PROFILE": common.profile,
        "AWS_ENDPOINT_URL_DYNAMODB": common.endpoint_url,
        "OPSKIT_ENV_FILE": str(common.env_file.resolve()) if common.env_file else None,
    }
    return {**environ, **{name: value for name, value in given.items() if value is not None}}


def _tell(common: Common, record: RunRecord, runs_dir: Path) -> None:
    folder = runs_dir / record.id
    if common.json:
        common.emit({**record_document(record), "folder": str(folder)})
        return
    if record.error is not None:
        progress(f"opskit: {record.error}")
    click.echo(f"{record.slug}: {record.verdict}. {record.summary}".rstrip(". "))
    for name in ("report.html", "report.json", "findings.csv"):
        if name in record.files:
            click.echo(f"  {folder / name}")


@click.command(short_help="Open JupyterLab on a runbook.")
@click.argument("notebook", required=False)
@click.option("--sandbox", is_flag=True, help="Start the sandbox with sample books and use it.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of JupyterLab.")
@click.option("--no-browser", is_flag=True, help="Print the address instead of opening it.")
@common_options
def lab(
    common: Common, *, notebook: str | None, sandbox: bool, port: int | None, no_browser: bool
) -> None:
    """Open JupyterLab on the runbook NOTEBOOK (the setup walkthrough when none is named)."""
    runbook = find_runbook(notebook or "setup", start=Path.cwd(), environ=os.environ)
    environment = kernel_environment(common, os.environ)
    if sandbox:
        from opskit.sandbox.lab import lab_environment

        environment = lab_environment(environ=environment, as_of=common.as_of, progress=progress)
    command = lab_command(runbook.path, port=port, browser=not no_browser)
    os.execve(command[0], command, environment)  # noqa: S606 - it is to get every signal itself


def lab_command(notebook: Path, *, port: int | None = None, browser: bool = True) -> list[str]:
    """How JupyterLab is started on a notebook: this interpreter, loopback only, token kept."""
    root = notebook.parent.parent
    options = [
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url=/lab/tree/{notebook.relative_to(root).as_posix()}",
        "--ServerApp.ip=127.0.0.1",
        "--LabApp.news_url=None",  # neither news nor updates are asked for: no network
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]
    options += [f"--ServerApp.port={port}"] if port else []
    options += [] if browser else ["--no-browser"]
    options += ["--allow-root"] if os.geteuid() == 0 else []  # a container has no other user
    return [sys.executable, "-m", "jupyterlab", *options]
