"""What an audit found, as values: findings, a result per check, control totals, one verdict."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from opskit.errors import EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE


class Severity(StrEnum):
    """How much a finding matters, gravest first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class Outcome(StrEnum):
    """How one check, or one finding of it, ended.

    Only a finding can be NOTED: it is worth a person's look and is no fault by itself, so it is
    shown, and counts neither for its check's outcome nor for the verdict.
    """

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    SKIPPED = "skipped"
    ERRORED = "errored"
    NOTED = "noted"


class Verdict(StrEnum):
    """What the audit as a whole may be relied on for."""

    CLEAN = "clean"
    FINDINGS = "findings"
    INCONCLUSIVE = "inconclusive"


EXIT_CODES: Mapping[Verdict, int] = {
    Verdict.CLEAN: EXIT_CLEAN,
    Verdict.FINDINGS: EXIT_FINDINGS,
    Verdict.INCONCLUSIVE: EXIT_INCOMPLETE,
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """The postings that would account for a drift.

    `candidates` holds every equally good set, each a tuple of keys; none is picked.
    """

    fault_class: str
    candidates: tuple[tuple[str, ...], ...]
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One departure from a check's criterion, with the evidence for it.

    `account` is the partition key value as stored, `key` the sort key ("" for a whole account),
    `condition` one sentence, `evidence` plain values (amounts in minor units).
    """

    check: str
    severity: Severity
    outcome: Outcome
    account: str
    key: str
    condition: str
    evidence: Mapping[str, object] = field(default_factory=dict)
    explanation: Explanation | None = None

    @property
    def id(self) -> str:
        """Sixteen hex digits that stay the same while the same fault persists."""
        parts = [self.check, self.account, self.key, dict(self.evidence)]
        text = json.dumps(parts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check ended: what it examined and what it found.

    `reason` says why a check was skipped, errored or is inconclusive, and is "" otherwise.
    """

    id: str
    severity: Severity
    title: str
    criterion: str
    remedy: str
    outcome: Outcome
    examined: int
    findings: tuple[Finding, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ControlTotal:
    """One counter of one currency over every judged account, in minor units."""

    currency: str
    counter: str
    stored: int
    computed: int

    @property
    def difference(self) -> int:
        """Stored less computed."""
        return self.stored - self.computed


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The whole answer of an audit.

    `examined` counts the snapshot's items by kind, and its accounts; `source` says in words what
    was read; `unjudged` names the accounts whose balance could not be judged.
    """

    as_of: datetime
    source: str
    examined: Mapping[str, int]
    results: tuple[CheckResult, ...]
    control_totals: tuple[ControlTotal, ...]
    unjudged: tuple[str, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, gravest first, then by check, account and key."""
        order = {severity: rank for rank, severity in enumerate(Severity)}
        found = [finding for result in self.results for finding in result.findings]
        return tuple(sorted(found, key=lambda f: (order[f.severity], f.check, f.account, f.key)))

    @property
    def verdict(self) -> Verdict:
        """FINDINGS when anything failed; else INCONCLUSIVE when anything could not be judged.

        What is only NOTED leaves the books CLEAN.
        """
        outcomes = {result.outcome for result in self.results}
        if any(finding.outcome is Outcome.FAILED for finding in self.findings):
            return Verdict.FINDINGS
        if not self.results or outcomes & {Outcome.INCONCLUSIVE, Outcome.ERRORED}:
            return Verdict.INCONCLUSIVE
        return Verdict.CLEAN

    @property
    def exit_code(self) -> int:
        """The exit status a shell sees for this verdict."""
        return EXIT_CODES[self.verdict]
