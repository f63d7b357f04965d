"""The files a finished runbook leaves beside its record."""

from collections.abc import Callable, Mapping
from pathlib import Path

from opskit.audit.report import AuditReport
from opskit.ledger.statement import Statement
from opskit.notebook.verdict import Answer
from opskit.present import (
    findings_csv,
    json_text,
    report_fragment,
    report_html,
    report_json,
    report_text,
    statement_csv,
    statement_html,
    statement_json,
    statement_page,
    statement_text,
)


def documents(answer: Answer) -> Mapping[str, str]:
    """The text of each document by its file's name; a plan leaves none beside the notebook."""
    if isinstance(answer, AuditReport):
        return {
            "audit.html": report_html(answer),
            "audit.json": json_text(report_json(answer)),
            "findings.csv": findings_csv(answer),
        }
    if isinstance(answer, Statement):
        return {
            "statement.html": statement_page(answer),
            "statement.json": json_text(statement_json(answer)),
            "entries.csv": statement_csv(answer),
        }
    return {}


def write_documents(folder: Path, answer: Answer) -> None:
    """Write the documents of an answer into a run's folder."""
    for name, text in documents(answer).items():
        (folder / name).write_text(text, encoding="utf-8", newline="")


def show(answer: Answer) -> None:
    """Display an answer in the running notebook."""
    from IPython.core.display_functions import publish_display_data

    publish: Callable[..., None] = publish_display_data  # IPython does not annotate it
    if isinstance(answer, AuditReport):
        publish({"text/html": report_fragment(answer), "text/plain": report_text(answer)})
    elif isinstance(answer, Statement):
        publish({"text/html": statement_html(answer), "text/plain": statement_text(answer)})
    else:
        print(answer.summary)
