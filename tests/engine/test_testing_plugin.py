"""The pytest plugin itself: it injects, seeds, asserts, stops and gives the environment back."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as Tree

import pytest
from runbook_files import write_notebook

OPTIONS = ("-p", "opskit.testing", "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=60")
ASK = "import boto3\nclient = boto3.client('dynamodb')\nfound = client.list_tables()['TableNames']"

SIDECARS = {
    "good": """
BOOKS = "tables"
def parameters():
    return {"limit": 7}
def check_the_parameter_arrived(limit):
    assert limit == 7
def check_nine_tables_are_there(found):
    assert len(found) == 9
""",
    "wrong": """
BOOKS = "empty"
def check_holds(found):
    assert found == []
def check_breaks(found):
    assert found == ["a table nobody made"], "planted failure"
def check_names_what_is_not_there(nothing):
    assert nothing
""",
    "stops": """
BOOKS = "empty"
def check_is_skipped(found):
    assert True
""",
    "refused": """
BOOKS = "empty"
def parameters():
    return {"limit": "seven"}
""",
}
CELLS = {
    "good": [ASK],
    "wrong": [ASK],
    "stops": ["raise RuntimeError('first')", "raise RuntimeError('second')"],
    "refused": ["limit"],
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Outcome and message of every test of a project of four notebooks, by notebook and test."""
    project = tmp_path_factory.mktemp("project")
    (project / "pytest.ini").write_text("[pytest]\n")
    (project / "tests" / "notebooks").mkdir(parents=True)
    for number, (slug, cells) in enumerate(CELLS.items(), 1):
        parameters = "limit: int = 1  # How many."
        folder = project / "notebooks"
        write_notebook(folder, slug, cells, parameters=parameters, number=f"{number}0")
        (project / "tests" / "notebooks" / f"{slug}.py").write_text(SIDECARS[slug])
    after = "import os\ndef test_after():\n    assert 'AWS_ENDPOINT_URL_DYNAMODB' not in os.environ"
    (project / "test_zz_after.py").write_text(after)
    _run_pytest(project)
    return _outcomes(project / "report.xml")


def _run_pytest(project: Path) -> None:
    command = [sys.executable, "-m", "pytest", *OPTIONS, "--junitxml=report.xml", "notebooks", "."]
    environ = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        command, cwd=project, env=environ, timeout=300, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr


def _outcomes(report: Path) -> dict[str, str]:
    found = {}
    for case in Tree.parse(report).getroot().iter("testcase"):
        ends = [e for e in case if e.tag in {"failure", "skipped", "error"}]
        said = f"{ends[0].tag}: {ends[0].get('message')} {ends[0].text}" if ends else "passed"
        book = (
            case.get("classname", "").split(".")[1][3:]
            if "notebooks" in case.get("classname", "")
            else case.get("classname", "")
        )
        found[f"{book} {case.get('name')}"] = said
    return found


def test_parameters_and_books_reach_the_notebook(outcomes: dict[str, str]) -> None:
    """The injected value replaces the default, and the nine tables are there."""
    mine = {name: said for name, said in outcomes.items() if name.startswith("good")}
    assert set(mine.values()) == {"passed"}
    assert "good check_the_parameter_arrived" in mine
    assert "good check_nine_tables_are_there" in mine
    assert "good injected parameters" in mine


def test_a_broken_assertion_fails_and_the_others_still_run(outcomes: dict[str, str]) -> None:
    """A wrong claim is a failure that says why; the claims around it are judged on their own."""
    assert outcomes["wrong check_holds"] == "passed"
    assert outcomes["wrong check_breaks"].startswith("failure")
    assert "planted failure" in outcomes["wrong check_breaks"]


def test_an_assertion_about_nothing_fails(outcomes: dict[str, str]) -> None:
    """A check whose argument the runbook does not have names it."""
    assert "has no variable nothing" in outcomes["wrong check_names_what_is_not_there"]


def test_the_first_failed_cell_stops_its_file(outcomes: dict[str, str]) -> None:
    """What follows a failed cell is skipped, since it could only fail for the same reason."""
    assert outcomes["stops Cell 1"].startswith("failure")
    assert outcomes["stops Cell 2"].startswith("skipped")
    assert outcomes["stops check_is_skipped"].startswith("skipped")


def test_a_parameter_of_the_wrong_type_is_refused(outcomes: dict[str, str]) -> None:
    """Injected values obey the runbook's own contract."""
    said = outcomes["refused injected parameters"]
    assert said.startswith("error")
    assert "parameter limit takes int, not str" in said


def test_the_environment_is_given_back(outcomes: dict[str, str]) -> None:
    """Tests after the notebooks do not see the sandbox."""
    assert outcomes["test_zz_after test_after"] == "passed"
