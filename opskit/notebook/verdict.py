"""One word, one exit status and one line for whatever a runbook answers with."""

from dataclasses import dataclass

from opskit.audit.report import EXIT_CODES, AuditReport
from opskit.ledger.statement import Statement
from opskit.notebook.tables import TablesState
from opskit.present.statement_words import agreement
from opskit.present.words import headline

WORDS = {code: verdict.value for verdict, code in EXIT_CODES.items()}
"""The verdict's word for each exit status of an audit or a statement."""

Answer = AuditReport | Statement | TablesState


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a runbook ends: its verdict, the exit status a shell sees, and why, in a line."""

    verdict: str
    exit_code: int
    summary: str


def judgement(answer: Answer) -> Judgement:
    """The judgement an answer carries."""
    if isinstance(answer, AuditReport):
        return Judgement(answer.verdict.value, answer.exit_code, headline(answer))
    if isinstance(answer, Statement):
        return Judgement(WORDS[answer.exit_code], answer.exit_code, agreement(answer))
    return Judgement(answer.verdict, answer.exit_code, answer.summary)
