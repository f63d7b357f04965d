"""What is made of an executed notebook: a cleaned copy, and a page that needs no network."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bleach
import nbformat
from nbconvert.exporters import HTMLExporter

from opskit.notebook.record import RunError
from opskit.present.escape import ATTRIBUTES, TAGS, element, page

ABSENT_TRACE = "open notebook.ipynb in the run folder for the cell and its trace"


ERROR_BANNER = "papermill-error-cell-tag"
"""The tag of the cell papermill puts on top of a run that failed; the report says it better."""

PLACE = "opskit-report-body"
PAGE_TAGS = frozenset(["body", "head", "html", "meta", "style", "title"])
MARKDOWN_TAGS = frozenset(["br", "em", "hr", "pre", "blockquote"])
_STYLE = re.compile(r"<style\b[^>]*>.*?</style\s*>", re.DOTALL | re.IGNORECASE)


def clean_notebook(path: Path, redact: Callable[[str], str]) -> Any:
    """Redact an executed notebook in place and drop what typed values could hide in."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.pop("widgets", None)
    papermill = notebook.metadata.pop("papermill", {})
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.source = redact(cell.source)
        if cell.cell_type == "code":
            cell.outputs = [_redacted(output, redact) for output in cell.outputs]
    notebook.metadata["opskit"] = {
        **notebook.metadata.get("opskit", {}),
        "started": papermill.get("start_time"),
        "finished": papermill.get("end_time"),
    }
    nbformat.write(notebook, path)
    return notebook


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_redacted(item, redact) for item in value]
    if isinstance(value, dict):
        cleaned = {name: _redacted(item, redact) for name, item in value.items()}
        return nbformat.from_dict(cleaned)
    return value


def first_error(notebook: Any) -> tuple[RunError, str] | None:
    """Why the notebook stopped and the class of the exception; None when no cell failed."""
    heading = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = _heading(cell.source) or heading
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                what = f"The step {heading!r} failed." if heading else "A cell failed."
                why = " ".join(f"{output.ename}: {output.evalue}".split())
                return RunError(what=what, why=why, next=ABSENT_TRACE), output.ename
    return None


def _heading(markdown: str) -> str:
    lines = [line for line in markdown.splitlines() if line.startswith("#")]
    return lines[0].lstrip("# ").strip() if lines else ""


def report_page(notebook: Any, title: str) -> str:
    """The notebook's text and outputs, without code, as a page that fetches and runs nothing."""
    exporter = HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
        embed_images=True,
        sanitize_html=True,
        filters={"clean_html": clean_markup},
    )
    shown = notebook.copy()
    shown.cells = [cell for cell in notebook.cells if not _is_banner(cell)]
    body, _ = exporter.from_notebook_node(shown)
    return page(title, element("main", PLACE)).replace(PLACE, body, 1)


def _is_banner(cell: Any) -> bool:
    return ERROR_BANNER in cell.metadata.get("tags", [])


def clean_markup(markup: str) -> str:
    """Markup cut down to the elements a report may hold; anything else stays as text."""
    return bleach.clean(
        _STYLE.sub("", str(markup)),
        tags=TAGS - PAGE_TAGS | MARKDOWN_TAGS,
        attributes={"*": sorted(ATTRIBUTES - {"http-equiv", "content", "charset"})},
        protocols=[],
    )
