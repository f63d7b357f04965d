"""Run a runbook with nobody watching, and leave a record whatever happens."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from opskit import errors
from opskit.notebook.export import clean_notebook, first_error, report_page
from opskit.notebook.parameters import check_values, parameters_hash, require_paths
from opskit.notebook.record import (
    BASE_VARIABLE,
    RUN_FOLDER_VARIABLE,
    RUNNING,
    RunError,
    RunRecord,
    new_run_folder,
    read_record,
    versions,
    with_files,
    write_record,
)
from opskit.notebook.redaction import redacted
from opskit.notebook.runbook import Runbook

SEE_LOG = "See run.log in the run folder."
CELL_TIMEOUT = 3600
PATIENCE = 15
"""Seconds a run that was told to stop gets to write what it has."""

NOISE = ("without encryption", "TCP transport", "DeprecationWarning: ipykernel")
"""Lines of ipykernel's start that say nothing about the run: its sockets are on this machine."""


def run_notebook(
    runbook: Runbook,
    parameters: Mapping[str, object],
    *,
    runs_dir: Path,
    environment: Mapping[str, str] | None = None,
    base: Path | None = None,
    timeout: int = CELL_TIMEOUT,
) -> RunRecord:
    """Execute the runbook in a folder of its own under `runs_dir`; the record says how it ended.

    ParameterError is raised before anything is started or written. A cell that fails is no
    exception here: its record has verdict "failed". `timeout` is per cell, in seconds; relative
    paths in the parameters start from `base`, which is the working folder when None.
    """
    values = check_values(runbook.parameters, parameters)
    require_paths(runbook.parameters, values, base or Path.cwd())
    started = datetime.now(UTC)
    folder = new_run_folder(runs_dir, runbook.slug, started)
    write_record(folder, _first_record(runbook, values, folder, started))
    environ = _kernel_environment(environment or os.environ, folder, base or Path.cwd())
    job = _job(runbook, dict(parameters), folder, timeout)
    interrupted = _execute(job, folder / "run.log", environ)
    record = _finished(read_record(folder), folder, environ, interrupted=interrupted)
    write_record(folder, record)
    return record


def _first_record(
    runbook: Runbook, values: dict[str, object], folder: Path, started: datetime
) -> RunRecord:
    return RunRecord(
        id=folder.name,
        slug=runbook.slug,
        title=runbook.title,
        parameters=values,
        parameters_sha256=parameters_hash(values),
        notebook_sha256=runbook.sha256,
        started=started,
        versions=versions(),
    )


def _kernel_environment(given: Mapping[str, str], folder: Path, base: Path) -> dict[str, str]:
    return {
        **given,
        RUN_FOLDER_VARIABLE: str(folder),
        BASE_VARIABLE: str(base.resolve()),
        "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel named python3 is to be this environment's
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def _job(
    runbook: Runbook, parameters: dict[str, object], folder: Path, timeout: int
) -> dict[str, object]:
    return {
        "notebook": str(runbook.path),
        "output": str(folder / "notebook.ipynb"),
        "parameters": parameters,
        "cwd": str(runbook.path.parent),
        "timeout": timeout,
    }


def _execute(job: Mapping[str, object], log: Path, environ: Mapping[str, str]) -> bool:
    """Run the child to its end; True when the person at the terminal stopped it."""
    command = [sys.executable, "-m", "opskit.notebook.execute"]
    with log.open("wb") as output:
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=dict(environ)
        )
        try:
            child.communicate(json.dumps(job).encode())
        except KeyboardInterrupt:
            _stop(child)
            return True
    return False


def _stop(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _finished(
    record: RunRecord, folder: Path, environ: Mapping[str, str], *, interrupted: bool
) -> RunRecord:
    """Redact what the run left, say how it ended, and write its page."""
    redact = partial(redacted, environ=environ)
    log = _clean_log(folder / "run.log", redact)
    notebook = _executed(folder / "notebook.ipynb", redact)
    if interrupted:
        why = "It was stopped from outside."
        record = _failed(record, RunError("The run was interrupted.", why, "Run it again."))
    else:
        record = _ended(record, first_error(notebook) if notebook else None, log)
    record = replace(record, finished=datetime.now(UTC))
    if notebook:
        (folder / "report.html").write_text(report_page(notebook, record), encoding="utf-8")
    return with_files(record, folder)


def _executed(path: Path, redact: Callable[[str], str]) -> Any:
    """The executed notebook, redacted; None when there is none, or only a part of one."""
    if not path.exists():
        return None
    try:
        return clean_notebook(path, redact)
    except ValueError:  # the runner was stopped while it wrote
        path.write_text(redact(path.read_text("utf-8", "replace")), encoding="utf-8")
        return None


def _ended(record: RunRecord, found: tuple[RunError, str] | None, log: list[str]) -> RunRecord:
    """The record of a run that came to its own end, well or not."""
    if found:
        error, exception = found
        if exception == "KeyboardInterrupt" and log:  # the runner stopped the cell, and says why
            error = replace(error, why=log[-1])
        return _failed(record, error, _exit_code(exception))
    if record.verdict == RUNNING:
        why = log[-1] if log else "The kernel said nothing."
        return _failed(record, RunError("The run ended without a verdict.", why, SEE_LOG))
    return record


def _failed(record: RunRecord, error: RunError, exit_code: int = errors.EXIT_FAILED) -> RunRecord:
    return replace(record, verdict="failed", summary="", exit_code=exit_code, error=error)


def _exit_code(exception: str) -> int:
    """The exit status of an error by its class; any other exception is a failure."""
    known = getattr(errors, exception, errors.OpskitError)
    return int(getattr(known, "exit_code", errors.EXIT_FAILED))


def _clean_log(path: Path, redact: Callable[[str], str]) -> list[str]:
    text = redact(path.read_text(encoding="utf-8", errors="replace"))
    lines = [line for line in text.splitlines() if not any(noise in line for noise in NOISE)]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return [line for line in lines if line.strip()]
