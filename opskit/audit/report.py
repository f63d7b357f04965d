"""What an audit found, as values: findings, a result per check, control totals, one verdict."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from opskit.audit import sql
from opskit.errors import EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE, InputError

if TYPE_CHECKING:
    import pandas as pd

    from opskit.read.snapshot import Snapshot

UNJUDGED = "could not be judged"
"""What a check's reason says when part of its population could not be judged."""


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
    shown, and counts neither for its check's outcome nor for the verdict. TRANSIENT was gone when
    the account was read again; WAIVED is a fault that somebody answers for until a date. Both are
    counted and shown, and neither sets the verdict.
    """

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    SKIPPED = "skipped"
    ERRORED = "errored"
    NOTED = "noted"
    TRANSIENT = "transient"
    WAIVED = "waived"


SILENT = (Outcome.SKIPPED, Outcome.ERRORED)
"""How a check ends that says nothing about the books."""


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
class Reread:
    """One strongly consistent read of a whole account: when, what it came to, and how many items.

    `fingerprint` is the SHA-256 of everything opskit keeps of the account's items.
    """

    account: str
    at: datetime
    fingerprint: str
    items: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One departure from a check's criterion, with the evidence for it.

    `account` is the partition key value as stored, `key` the sort key ("" for a whole account),
    `condition` one sentence, `evidence` plain values (amounts in minor units). `rereads` are the
    reads that confirmed it on a live table; they are no part of its id.
    """

    check: str
    severity: Severity
    outcome: Outcome
    account: str
    key: str
    condition: str
    evidence: Mapping[str, object] = field(default_factory=dict)
    explanation: Explanation | None = None
    rereads: tuple[Reread, ...] = ()

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
    `observations` are what it saw that is worth a look and no fault; their outcome is NOTED.
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
    observations: tuple[Finding, ...] = ()


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
class EarlierFinding:
    """A finding as an earlier run reported it."""

    id: str
    check: str
    account: str
    key: str
    condition: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of an earlier run's findings, and what is new since, by finding ids.

    `changed` are findings of now whose check, account and key had a finding with other evidence.
    `cleared` were looked for again and are gone; `unexamined` were not looked for: their check did
    not run to its end, or their account could not be judged.
    """

    earlier: str
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    persisting: tuple[str, ...] = ()
    cleared: tuple[EarlierFinding, ...] = ()
    unexamined: tuple[EarlierFinding, ...] = ()


def _ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    order = {severity: rank for rank, severity in enumerate(Severity)}
    return tuple(sorted(findings, key=lambda f: (order[f.severity], f.check, f.account, f.key)))


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The whole answer of an audit.

    `examined` counts the snapshot's items by kind, and its accounts; `source` says in words what
    was read; `unjudged` names the accounts whose balance could not be judged; `remarks` are what a
    reader must know beside the findings, of confirming and of waivers, one sentence each;
    `snapshot` holds the books, None where they bear other names than the report does.
    """

    as_of: datetime
    source: str
    examined: Mapping[str, int]
    results: tuple[CheckResult, ...]
    control_totals: tuple[ControlTotal, ...]
    unjudged: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    comparison: Comparison | None = None
    snapshot: "Snapshot | None" = field(default=None, repr=False, compare=False)

    def sql(self, text: str) -> "pd.DataFrame":
        """The whole answer of one SELECT over the audited books, as a frame; see `audit.sql`."""
        if self.snapshot is None:
            raise InputError("this report has no books beside it; ask those of its snapshot")
        return sql(self.snapshot, text, as_of=self.as_of)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, gravest first, then by check, account and key."""
        return _ordered(finding for result in self.results for finding in result.findings)

    @property
    def observations(self) -> tuple[Finding, ...]:
        """Every observation, in the order of findings."""
        return _ordered(seen for result in self.results for seen in result.observations)

    @property
    def verdict(self) -> Verdict:
        """FINDINGS when anything failed; else INCONCLUSIVE when anything could not be judged.

        Where no check had anything to examine nothing was judged. What is only NOTED, TRANSIENT or
        WAIVED leaves the books CLEAN.
        """
        outcomes = {result.outcome for result in self.results}
        if any(finding.outcome is Outcome.FAILED for finding in self.findings):
            return Verdict.FINDINGS
        if outcomes <= {Outcome.SKIPPED} or outcomes & {Outcome.INCONCLUSIVE, Outcome.ERRORED}:
            return Verdict.INCONCLUSIVE
        return Verdict.CLEAN

    @property
    def exit_code(self) -> int:
        """The exit status a shell sees for this verdict."""
        return EXIT_CODES[self.verdict]


def decided_again(result: CheckResult, findings: tuple[Finding, ...]) -> CheckResult:
    """A result with other findings, its outcome following from theirs.

    A check that did not run keeps how it ended; accounts that could not be judged keep it from
    passing.
    """
    ended = {finding.outcome for finding in findings}
    if result.outcome in (Outcome.SKIPPED, Outcome.ERRORED) and not findings:
        return result
    ranked = (Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.WAIVED, Outcome.TRANSIENT)
    outcome = next((one for one in ranked if one in ended), Outcome.PASSED)
    if UNJUDGED in result.reason and outcome is not Outcome.FAILED:
        outcome = Outcome.INCONCLUSIVE
    reason = result.reason
    if outcome is Outcome.INCONCLUSIVE and UNJUDGED not in reason:
        undecided = sum(finding.outcome is Outcome.INCONCLUSIVE for finding in findings)
        reason = f"{undecided} of the findings could not be decided"
    ordered = tuple(sorted(findings, key=lambda f: (f.account, f.key, f.condition)))
    return replace(result, outcome=outcome, findings=ordered, reason=reason)
