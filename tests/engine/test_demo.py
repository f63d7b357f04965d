"""The demo: found is planted, the report is there, and nothing is left running."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opskit.audit.report import AuditReport, CheckResult, Finding, Outcome, Severity
from opskit.sandbox.faults import PlantedFault
from opskit.sandbox.proof import tallies
from opskit.sandbox.server import answers

AS_OF = datetime(2026, 12, 1, tzinfo=UTC)
DEADLINE_SECONDS = 180
ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from opskit.cli import main; main()", "demo"]

DRIFT = {"payments_pending": 100, "payments_settled": -100}
FAULT = PlantedFault("balances.stored_equals_entries", "USER#a", "BALANCE", "", {"drift": DRIFT})
FINDING = Finding(
    FAULT.check, Severity.CRITICAL, Outcome.FAILED, FAULT.account, FAULT.key, "", {"drift": DRIFT}
)


def report_of(*findings: Finding) -> AuditReport:
    """A report of one check with these findings."""
    result = CheckResult(
        id=FAULT.check,
        severity=Severity.CRITICAL,
        title="",
        criterion="",
        remedy="",
        outcome=Outcome.FAILED,
        examined=1,
        findings=findings,
    )
    return AuditReport(AS_OF, "", {}, (result,), ())


def test_what_is_found_as_planted_is_equal() -> None:
    """One fault and its finding agree."""
    (tally,) = tallies([FAULT], report_of(FINDING))
    assert tally.equal
    assert (tally.planted, tally.found) == (1, 1)


@pytest.mark.parametrize(
    ("findings", "missed", "unexpected"),
    [
        ((), 1, 0),
        ((FINDING, FINDING), 0, 1),
        ((replace(FINDING, account="USER#b"),), 1, 1),
        ((replace(FINDING, evidence={"drift": {**DRIFT, "payments_pending": 101}}),), 1, 1),
    ],
    ids=["nothing found", "found twice", "another account", "a cent off"],
)
def test_anything_else_is_not(findings: tuple[Finding, ...], missed: int, unexpected: int) -> None:
    """A fault that is missed, or a finding nobody planted, shows, to the cent."""
    (tally,) = tallies([FAULT], report_of(*findings))
    assert not tally.equal
    assert (len(tally.missed), len(tally.unexpected)) == (missed, unexpected)


def test_what_is_only_worth_a_look_is_not_counted() -> None:
    """A note is no finding that somebody would have had to plant."""
    (tally,) = tallies([FAULT], report_of(FINDING, replace(FINDING, outcome=Outcome.NOTED)))
    assert tally.equal


def test_a_fault_whose_check_did_not_run_is_missed() -> None:
    """A check that is not there hides nothing."""
    empty = replace(report_of(), results=())
    (tally,) = tallies([FAULT], empty)
    assert len(tally.missed) == 1


@pytest.mark.engine
def test_the_demo_finds_what_was_planted_and_leaves_a_report(tmp_path: Path) -> None:
    """The whole road ends with 0, an offline report, and a run folder of each runbook."""
    ended = subprocess.run(
        [*COMMAND, "--json", "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["found_is_planted"]
    assert sum(check["found"] for check in told["checks"]) > 30
    assert all(check["equal"] for check in told["checks"])
    page = Path(told["report"]).read_text()
    assert "balances.stored_equals_entries" in page
    assert not re.search(r"(?:src|href)=.?https?:", page)
    for slug, run in told["runs"].items():
        assert slug in run
        assert (tmp_path / run / "notebook.ipynb").is_file()
    assert not answers(port_in(ended.stderr))


def port_in(said: str) -> int:
    """The port of the sandbox that a demo told."""
    found = re.search(r"http://127\.0\.0\.1:(\d+)", said)
    assert found is not None, said
    return int(found.group(1))


@pytest.mark.engine
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("moment", ["sandbox", "audit"])
def test_an_interrupted_demo_leaves_no_server(
    moment: str, number: signal.Signals, tmp_path: Path
) -> None:
    """Wherever a demo is stopped, its server is gone shortly after and the exit is not 0."""
    command = [*COMMAND, "--out", str(tmp_path)]
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        assert running.stdout is not None
        said = ""
        while not re.search(rf"^{moment} ", said, re.MULTILINE):
            line = running.stdout.readline()
            assert line, said
            said += line
        running.send_signal(number)
        running.wait(DEADLINE_SECONDS)
    assert running.returncode != 0
    deadline = time.monotonic() + 15
    while answers(port_in(said)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not answers(port_in(said))
