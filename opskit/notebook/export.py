"""What is made of an executed notebook: a cleaned copy, and a page that needs no network."""

import json
import re
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import bleach  # type: ignore[import-untyped]
import nbformat
from nbconvert.exporters import HTMLExporter

from opskit.audit.report import Outcome
from opskit.errors import EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE
from opskit.notebook.record import RunError, RunRecord
from opskit.present.escape import ATTRIBUTES, TAGS, Element, Node, element, page
from opskit.present.marks import code, facts_list, icon, section
from opskit.present.words import utc

ABSENT_TRACE = "open notebook.ipynb in the run folder for the cell and its trace"


ERROR_BANNER = "papermill-error-cell-tag"
"""The tag of the cell papermill puts on top of a run that failed; the report says it better."""

_read: Callable[..., Any] = nbformat.read  # these libraries are not annotated
_write: Callable[..., Any] = nbformat.write
_node: Callable[..., Any] = nbformat.from_dict
_EXPORTER: Callable[..., Any] = HTMLExporter

OUTCOMES: Mapping[int, Outcome] = {
    EXIT_CLEAN: Outcome.PASSED,
    EXIT_FINDINGS: Outcome.FAILED,
    EXIT_INCOMPLETE: Outcome.INCONCLUSIVE,
}
"""The sign a run's exit status is shown with; any other is an error."""

PLACE = "opskit-report-body"
PAGE_TAGS = frozenset(["body", "head", "html", "meta", "style", "title"])
MARKDOWN_TAGS = frozenset(["br", "em", "hr", "pre", "blockquote"])
_STYLE = re.compile(r"<style\b[^>]*>.*?</style\s*>", re.DOTALL | re.IGNORECASE)


def clean_notebook(path: Path, redact: Callable[[str], str]) -> Any:
    """Redact an executed notebook in place and drop what typed values could hide in."""
    notebook: Any = _read(path, as_version=4)
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
    _write(notebook, path)
    return notebook


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_redacted(item, redact) for item in value]
    if isinstance(value, dict):
        cleaned = {name: _redacted(item, redact) for name, item in value.items()}
        return _node(cleaned)
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


def report_page(notebook: Any, record: RunRecord) -> str:
    """The notebook's text and outputs, without code, as a page that fetches and runs nothing."""
    exporter: Any = _EXPORTER(
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
    markup, _ = exporter.from_notebook_node(shown)
    return run_page(record).replace(PLACE, markup, 1)


def run_page(record: RunRecord) -> str:
    """The page around an executed notebook: how it ended above it, what was run below it."""
    style = resources.files("opskit.notebook").joinpath("runbook.css").read_text("utf-8")
    body = element(
        "div",
        _outcome(record),
        element("main", PLACE),
        section("This run", facts_list(_run_facts(record))),
        class_="opskit runbook",
    )
    return page(f"{record.verdict}: {record.title}", body, style=style)


def _outcome(record: RunRecord) -> Element:
    lines = str(record.error).splitlines() if record.error else [record.summary]
    outcome = OUTCOMES.get(record.exit_code, Outcome.ERRORED)
    said = [element("p", line, class_="lede") for line in lines if line]
    verdict = element("strong", record.verdict.capitalize(), class_=f"state is-{outcome}")
    kicker = element("p", f"opskit runbook {record.slug}", element("span", record.id))
    return element("header", kicker, element("p", icon(outcome), verdict), *said, class_="run")


def _run_facts(record: RunRecord) -> list[tuple[str, Node]]:
    identity = ", ".join(f"{name} {text}" for name, text in record.identity.items() if text)
    versions = ", ".join(f"{name} {text}" for name, text in record.versions.items())
    took = f", {record.duration_seconds:.1f} s" if record.duration_seconds else ""
    given = [(f"-p {name}", code(json.dumps(v))) for name, v in record.parameters.items()]
    return [
        *given,
        ("Started", f"{utc(record.started)}{took}"),
        ("Read as", identity or "nothing was asked of AWS"),
        ("Notebook", code(f"sha256 {record.notebook_sha256}")),
        ("Versions", versions),
    ]


def _is_banner(cell: Any) -> bool:
    return ERROR_BANNER in cell.metadata.get("tags", [])


def clean_markup(markup: str) -> str:
    """Markup cut down to the elements a report may hold; anything else stays as text."""
    cleaned: str = bleach.clean(
        _STYLE.sub("", str(markup)),
        tags=TAGS - PAGE_TAGS | MARKDOWN_TAGS,
        attributes={"*": sorted(ATTRIBUTES - {"http-equiv", "content", "charset"})},
        protocols=[],
    )
    return cleaned
