"""Runbooks run headless: the record, the page, the exit status, and every way to fail."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from captures import balance, entry, write_capture
from runbook_files import write_notebook

from opskit.cli.runbooks import lab_command
from opskit.errors import InputError, ParameterError
from opskit.notebook.record import RunRecord, read_record
from opskit.notebook.run import run_notebook
from opskit.notebook.runbook import find_runbook, load_runbook

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
HOSTILE = "USER#<img src=x onerror=alert(1)>"
KEY = "AKIA" + "A" * 16
ENTERED = "a-secret-of-this-environment"


@pytest.fixture(scope="module")
def environ() -> dict[str, str]:
    """An environment that leads nowhere: no settings, no credentials that open anything."""
    ours = ("AWS_", "DDB_", "OPSKIT_", "API_KEYS_", "ALERT", "BILLING_")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    nothing = {"AWS_EC2_METADATA_DISABLED": "true", "OPSKIT_ENV_FILE": os.devnull}
    return {**kept, **nothing, "AWS_CONFIG_FILE": os.devnull}


@pytest.fixture(scope="module")
def audited(
    tmp_path_factory: pytest.TempPathFactory, environ: dict[str, str]
) -> tuple[RunRecord, Path]:
    """The audit of a capture with one drifted account whose name is markup, and its folder."""
    folder = tmp_path_factory.mktemp("audited")
    items = [entry(HOSTILE, 1, 1250), balance(HOSTILE, owed_settled=1000)]
    write_capture(folder / "items.jsonl", items)
    audit = load_runbook(NOTEBOOKS / "30_balance_audit.ipynb")
    values = {"source": ["items.jsonl"], "as_of": "2026-12-01"}
    record = run_notebook(audit, values, runs_dir=folder / "runs", environment=environ, base=folder)
    return record, folder / "runs" / record.id


def test_the_verdict_of_the_runbook_is_the_runs(audited: tuple[RunRecord, Path]) -> None:
    """One drifted account makes findings and exit status 1, in the record and on disk."""
    record, folder = audited
    assert record.error is None
    assert (record.verdict, record.exit_code) == ("findings", 1)
    assert read_record(folder) == record
    document = json.loads((folder / "audit.json").read_text())
    [finding] = [f for f in document["findings"] if f["check"] == "balances.stored_equals_entries"]
    assert finding["evidence"]["drift"] == {"owed_settled": -250}


def test_the_folder_is_named_complete_and_private(audited: tuple[RunRecord, Path]) -> None:
    """Time, slug and eight hex digits; mode 0700; every file of the record is there."""
    record, folder = audited
    assert re.fullmatch(r"\d{8}T\d{6}Z_balance_audit_[0-9a-f]{8}", folder.name)
    assert folder.stat().st_mode & 0o777 == 0o700
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == set(record.files)
    assert {"notebook.ipynb", "report.html", "report.json", "run.log", "findings.csv"} <= found


def test_the_record_says_what_was_run(audited: tuple[RunRecord, Path]) -> None:
    """Parameters with their defaults, hashes, times and versions are in `report.json`."""
    _, folder = audited
    document = json.loads((folder / "report.json").read_text())
    assert document["parameters"] == {"source": ["items.jsonl"], "as_of": "2026-12-01"}
    assert re.fullmatch(r"[0-9a-f]{64}", document["notebook_sha256"])
    assert document["started"] < document["finished"]
    assert document["duration_seconds"] > 0
    assert document["versions"]["opskit"]


def test_the_page_fetches_nothing_and_runs_nothing(audited: tuple[RunRecord, Path]) -> None:
    """No script, no address, no code cell; the item's markup is text."""
    _, folder = audited
    page = (folder / "report.html").read_text("utf-8")
    assert not re.search(r"<script|<img|<iframe|<link|https?://|@import|url\(", page, re.IGNORECASE)
    assert "ops.audit(" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "default-src &#x27;none&#x27;" in page
    assert "The books do not agree" in page


def test_the_copy_holds_no_metadata_of_the_runner(audited: tuple[RunRecord, Path]) -> None:
    """Widget state and papermill's metadata, where typed values could stay, are dropped."""
    _, folder = audited
    notebook = json.loads((folder / "notebook.ipynb").read_text())
    assert "widgets" not in notebook["metadata"]
    assert "papermill" not in notebook["metadata"]
    assert not any("papermill" in cell["metadata"] for cell in notebook["cells"])


def test_a_failing_cell_still_leaves_a_redacted_record(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    """The error's own exit status, three lines to act on, and no credential in any file."""
    cells = [
        f"import os\nprint('{KEY}', os.environ['AWS_SECRET_ACCESS_KEY'])",
        "from opskit import errors\nraise errors.IncompleteReadError('page 3 is missing')",
        "print('never reached')",
    ]
    path = write_notebook(tmp_path / "notebooks", "partial", cells)
    surroundings = {**environ, "AWS_SECRET_ACCESS_KEY": ENTERED}
    record = run_notebook(load_runbook(path), {}, runs_dir=tmp_path, environment=surroundings)
    assert (record.verdict, record.exit_code) == ("failed", 3)
    assert record.error is not None
    assert record.error.why == "IncompleteReadError: page 3 is missing"
    assert len(str(record.error).splitlines()) == 3
    texts = {p.name: p.read_text("utf-8") for p in (tmp_path / record.id).iterdir()}
    assert {"notebook.ipynb", "report.html", "report.json", "run.log"} <= set(texts)
    assert not [name for name, text in texts.items() if KEY in text or ENTERED in text]
    assert "page 3 is missing" in texts["report.html"]
    assert json.loads(texts["notebook.ipynb"])["cells"][-1]["outputs"] == []


def test_a_dead_kernel_is_a_record_too(tmp_path: Path, environ: dict[str, str]) -> None:
    """A kernel that vanishes ends as failed with exit status 2."""
    path = write_notebook(tmp_path / "notebooks", "dies", ["import os\nos._exit(1)"])
    record = run_notebook(load_runbook(path), {}, runs_dir=tmp_path, environment=environ)
    assert (record.verdict, record.exit_code) == ("failed", 2)
    assert record.error is not None
    assert "died" in record.error.why.lower()
    assert read_record(tmp_path / record.id) == record


def test_a_cell_that_takes_too_long_is_stopped(tmp_path: Path, environ: dict[str, str]) -> None:
    """The time a cell may take is a limit, and the record says which."""
    path = write_notebook(tmp_path / "notebooks", "slow", ["import time\ntime.sleep(60)"])
    record = run_notebook(load_runbook(path), {}, runs_dir=tmp_path, environment=environ, timeout=2)
    assert record.exit_code == 2
    assert record.error is not None
    assert "2 s" in record.error.why


def test_wrong_parameters_stop_before_anything_is_made(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    """An unknown name or a wrong type leaves no run folder behind."""
    audit = load_runbook(NOTEBOOKS / "30_balance_audit.ipynb")
    for values in ({"sorce": []}, {"source": "items.jsonl"}):
        with pytest.raises(ParameterError):
            run_notebook(audit, values, runs_dir=tmp_path / "runs", environment=environ)
    assert not (tmp_path / "runs").exists()


def test_a_runs_folder_with_a_brace_is_refused(tmp_path: Path, environ: dict[str, str]) -> None:
    """Papermill would take the brace for a field of its own."""
    path = write_notebook(tmp_path / "notebooks", "quick", ["1"])
    with pytest.raises(InputError, match="brace"):
        run_notebook(load_runbook(path), {}, runs_dir=tmp_path / "{x}", environment=environ)


@pytest.mark.parametrize("name", ["balance_audit", "30_balance_audit", "30_balance_audit.ipynb"])
def test_a_runbook_goes_by_slug_number_or_file(name: str) -> None:
    """The slug is the identity; the number is accepted with it."""
    found = find_runbook(name, start=NOTEBOOKS.parent, environ={})
    assert found.path == NOTEBOOKS / "30_balance_audit.ipynb"


def test_an_unknown_runbook_lists_the_known_ones() -> None:
    """A wrong number or name says what there is."""
    for name in ("40_balance_audit", "balance"):
        with pytest.raises(InputError, match="there are: setup, account_statement, balance_audit"):
            find_runbook(name, start=NOTEBOOKS, environ={})


def opskit(*arguments: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command line in the project's folder."""
    command = [sys.executable, "-c", "from opskit.cli import main; main()", *arguments]
    return subprocess.run(
        command, cwd=NOTEBOOKS.parent, env=environ, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "balance_audit", "-p", "sorce=a"], "takes no parameter 'sorce'"),
        (["run", "balance_audit", "-p", "source"], "write -p name=value"),
        (["run", "30_balance_audit", "-p", "as_of=7", "-p", "source=README.md"], "is no date"),
        (["run", "30_balance_audit", "-p", "source=s1"], "parameter source: there is no s1"),
        (["run", "account_statement", "-p", "account= "], "parameter account is empty"),
        (["run", "balance"], "there is no runbook 'balance'"),
        (["run", "setup", "--as-of", "2026-12-01"], "judges nothing by date"),
    ],
)
def test_misuse_is_one_line_and_exit_status_2(
    arguments: list[str], says: str, environ: dict[str, str]
) -> None:
    """Each misuse of `opskit run` is one line on stderr, without a traceback."""
    done = opskit(*arguments, environ=environ)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_the_command_line_gives_the_record_as_json(tmp_path: Path, environ: dict[str, str]) -> None:
    """`opskit run --json` prints one document; a live read without settings is failed, exit 2."""
    arguments = ("run", "balance_audit", "--json", "--runs-dir", str(tmp_path))
    done = opskit(*arguments, environ=environ)
    document = json.loads(done.stdout)
    assert done.returncode == document["exit_code"] == 2
    assert document["verdict"] == "failed"
    assert Path(document["folder"], "report.json").exists()


def test_an_interrupted_run_leaves_a_record_and_no_kernel(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    """Ctrl-C ends kernel and runner, and the record says the run was interrupted."""
    mark = tmp_path / "kernel.pid"
    source = f"import os, pathlib, time\npathlib.Path({str(mark)!r}).write_text(str(os.getpid()))"
    path = write_notebook(tmp_path / "notebooks", "sleeps", [f"{source}\ntime.sleep(300)"])
    runs = str(tmp_path / "runs")
    command = [sys.executable, "-c", "from opskit.cli import main; main()"]
    process = subprocess.Popen([*command, "run", str(path), "--runs-dir", runs], env=environ)
    try:
        kernel = int(_await_text(mark))
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 2
    finally:
        process.kill()
    [folder] = (tmp_path / "runs").iterdir()
    assert read_record(folder).error is not None
    assert "interrupted" in str(read_record(folder).error)
    _await_end(kernel)


def _await_text(path: Path) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if path.exists() and path.read_text():
            return path.read_text()
        time.sleep(0.1)
    raise AssertionError(f"{path.name} was not written")


def _await_end(pid: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.2)
    raise AssertionError("the kernel outlived its run")


@pytest.fixture
def lab_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def test_lab_opens_the_notebook_and_keeps_its_token(tmp_path: Path, lab_port: int) -> None:
    """JupyterLab starts on loopback, answers with the token and refuses without it."""
    path = write_notebook(tmp_path / "notebooks", "quick", ["1"])
    command = lab_command(path, port=lab_port, browser=False)
    assert not [option for option in command if "token" in option]
    folders = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "RUNTIME")}
    environ = {**os.environ, **folders, "JUPYTER_TOKEN": "testing"}
    process = subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{lab_port}/api/contents/notebooks"
        listing = json.loads(_await_page(f"{address}?token=testing"))
        assert [one["name"] for one in listing["content"]] == ["90_quick.ipynb"]
        with pytest.raises(urllib.error.HTTPError, match="403"):
            _page(address)
    finally:
        process.terminate()
        process.wait(30)


def _page(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=10) as answer:
        content: bytes = answer.read()
        return content


def _await_page(address: str) -> bytes:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            return _page(address)
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.3)
    raise AssertionError("JupyterLab did not answer")
