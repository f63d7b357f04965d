"""Every committed notebook keeps the form a runbook has."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from opskit.notebook.runbook import cell_source, cell_tags, load_runbook, slug_of

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
TAGS = {
    "parameters", "setup", "form", "verdict", "writes",
    "nbval-skip", "nbval-ignore-output", "nbval-check-output", "raises-exception",
}  # fmt: skip
MOST_LINES = 5
LOGIC = (ast.If, ast.For, ast.While, ast.FunctionDef, ast.ClassDef, ast.Try, ast.With, ast.Lambda)

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def document(path: Path) -> dict[str, Any]:
    """A notebook as it is in the file."""
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def code_cells(path: Path) -> list[dict[str, Any]]:
    """The code cells of a notebook."""
    return [cell for cell in document(path)["cells"] if cell["cell_type"] == "code"]


def test_the_name_has_a_number_in_tens_and_a_snake_case_slug(path: Path) -> None:
    """`NN_snake_case.ipynb`, so that a shell and a URL take it and the order shows."""
    assert re.fullmatch(r"\d0_[a-z]+(_[a-z]+)*\.ipynb", path.name)


def test_the_metadata_is_the_agreed_one(path: Path) -> None:
    """Format 4.5, the python3 kernel, no versions, and opskit's five keys."""
    found = document(path)
    metadata = found["metadata"]
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    assert set(metadata) == {"kernelspec", "language_info", "opskit"}
    assert metadata["kernelspec"]["name"] == "python3"
    assert metadata["language_info"] == {"name": "python"}
    assert set(metadata["opskit"]) == {"slug", "title", "writes", "requires", "schema"}
    assert metadata["opskit"]["slug"] == slug_of(path)


def test_the_first_heading_is_the_title(path: Path) -> None:
    """What the listing calls the runbook is what its first cell is headed."""
    title = document(path)["metadata"]["opskit"]["title"]
    first = document(path)["cells"][0]
    assert first["cell_type"] == "markdown"
    assert cell_source(first).splitlines()[0] == f"# {title}"


def test_it_is_stripped(path: Path) -> None:
    """No outputs and no counts: live balances cannot be committed."""
    for cell in code_cells(path):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


def test_cell_ids_are_names_and_unique(path: Path) -> None:
    """Stable ids set by hand keep differences readable."""
    ids = [cell["id"] for cell in document(path)["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in ids)


def test_tags_are_known(path: Path) -> None:
    """A tag nobody reads is a mistyped one."""
    used = {tag for cell in document(path)["cells"] for tag in cell_tags(cell)}
    assert used <= TAGS


def test_the_order_of_cells_is_the_agreed_one(path: Path) -> None:
    """Title, parameters, setup; at the end the verdict, then the record."""
    tags = [cell_tags(cell) for cell in document(path)["cells"]]
    assert tags[1:3] == [["parameters"], ["setup"]]
    assert tags[-2] == ["verdict"]
    assert "ops.finish(" in cell_source(document(path)["cells"][-1])


def test_the_parameters_cell_parses_and_suits_papermill(path: Path) -> None:
    """The cell is of the one form, and no line has a second `=` for papermill to trip over."""
    runbook = load_runbook(path)
    source = cell_source(code_cells(path)[0])
    assert source.startswith("# Parameters\n")
    assert len(runbook.parameters) == len(source.splitlines()) - 1
    assert all(line.count("=") == 1 for line in source.splitlines()[1:])
    assert all(parameter.help for parameter in runbook.parameters)


def test_papermill_reads_the_same_parameters(path: Path) -> None:
    """Papermill's own reading of the cell gives our names and types."""
    from papermill.inspection import inspect_notebook

    theirs = {name: p["inferred_type_name"] for name, p in inspect_notebook(str(path)).items()}
    assert theirs == {p.name: p.annotation for p in load_runbook(path).parameters}


def test_cells_are_short_and_hold_no_logic(path: Path) -> None:
    """At most five lines a cell and no branch, loop or definition: logic is in the package."""
    for cell in code_cells(path)[1:]:
        source = cell_source(cell)
        assert len(source.splitlines()) <= MOST_LINES
        assert not [node for node in ast.walk(ast.parse(source)) if isinstance(node, LOGIC)]


def test_only_a_runbook_that_says_so_writes(path: Path) -> None:
    """`writes: false` means no cell tagged writes, and the first cell says what is written."""
    found = document(path)
    tagged = any("writes" in cell_tags(cell) for cell in found["cells"])
    assert tagged == found["metadata"]["opskit"]["writes"]
    assert "| Writes |" in cell_source(found["cells"][0])


def test_nothing_asks_at_a_terminal_or_builds_html(path: Path) -> None:
    """No input(), getpass() or HTML() in a cell: nobody is there, and HTML has one builder."""
    for cell in code_cells(path):
        assert not re.search(r"\b(input|getpass|HTML|Markdown)\(", cell_source(cell))
