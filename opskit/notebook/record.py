"""The record of one run: what was asked, of which account, when, and how it ended."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version

from opskit.errors import InputError

RUN_FOLDER_VARIABLE = "OPSKIT_RUN_FOLDER"
"""Set for the kernel of a headless run: the folder its record goes to."""

RUNS_VARIABLE = "OPSKIT_RUNS_DIR"
ENV_FILE_VARIABLE = "OPSKIT_ENV_FILE"
"""Names the .env file for a kernel whose caller was given one."""

BASE_VARIABLE = "OPSKIT_BASE_DIR"
"""Set for the kernel: the folder that relative paths in parameters start from."""

RECORD_FILE = "report.json"
SCHEMA = 1
RUNNING = "running"
_PACKAGES = ("opskit", "boto3", "duckdb", "pyarrow", "papermill", "ipykernel")


@dataclass(frozen=True, slots=True)
class RunError:
    """Why a run stopped, in three lines a person can act on."""

    what: str
    why: str
    next: str

    def __str__(self) -> str:
        return f"{self.what}\n{self.why}\n{self.next}"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of a runbook.

    `identity` holds account, region, endpoint and mode as far as they were known; `verdict` is
    the runbook's own word, "failed" when it stopped and "running" until it ends.
    """

    id: str
    slug: str
    title: str
    parameters: Mapping[str, object]
    parameters_sha256: str
    notebook_sha256: str
    started: datetime
    finished: datetime | None = None
    identity: Mapping[str, str] = field(default_factory=dict)
    verdict: str = RUNNING
    summary: str = ""
    exit_code: int = 2
    error: RunError | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()

    @property
    def duration_seconds(self) -> float | None:
        """How long the run took, None while it runs."""
        return (self.finished - self.started).total_seconds() if self.finished else None


def record_document(record: RunRecord) -> dict[str, object]:
    """The record as the JSON object of `report.json`."""
    document = {"schema": SCHEMA, **asdict(record), "duration_seconds": record.duration_seconds}
    for name in ("started", "finished"):
        moment = document[name]
        document[name] = moment.isoformat() if isinstance(moment, datetime) else None
    return document


def write_record(folder: Path, record: RunRecord) -> None:
    """Write `report.json`, whole or not at all."""
    text = json.dumps(record_document(record), indent=2, ensure_ascii=False) + "\n"
    partial = folder / f".{RECORD_FILE}.part"
    partial.write_text(text, encoding="utf-8")
    partial.replace(folder / RECORD_FILE)


def read_record(folder: Path) -> RunRecord:
    """The record of a run folder."""
    document = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
    del document["schema"], document["duration_seconds"]
    error = document.pop("error")
    moments = {name: document.pop(name) for name in ("started", "finished")}
    return RunRecord(
        **{**document, "files": tuple(document["files"])},
        started=datetime.fromisoformat(moments["started"]),
        finished=datetime.fromisoformat(moments["finished"]) if moments["finished"] else None,
        error=RunError(**error) if error else None,
    )


def new_run_folder(runs_dir: Path, slug: str, now: datetime) -> Path:
    """Make the folder of a run, readable by its owner alone."""
    if "{" in str(runs_dir.resolve()) or "}" in str(runs_dir.resolve()):
        raise InputError(f"the runs folder {runs_dir} has a brace in its path; choose another")
    name = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}_{slug}_{secrets.token_hex(4)}"
    folder = runs_dir.resolve() / name
    try:
        folder.mkdir(parents=True, mode=0o700)
    except OSError as error:
        message = f"the runs folder {runs_dir} cannot be used: {error.strerror}"
        raise InputError(f"{message}; name another, or set {RUNS_VARIABLE}") from None
    return folder


def runs_folder(project: Path, environ: Mapping[str, str]) -> Path:
    """Where runs are recorded: OPSKIT_RUNS_DIR, else `runs/` of the project."""
    return Path(environ.get(RUNS_VARIABLE) or project / "runs")


def versions() -> dict[str, str]:
    """The versions a run depends on."""
    found = {"python": python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def with_files(record: RunRecord, folder: Path) -> RunRecord:
    """The record with the names of the files that lie in its folder."""
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return replace(record, files=tuple(dict.fromkeys([*found, RECORD_FILE])))
