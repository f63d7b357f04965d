"""The findings of one run beside those of an earlier: new, changed, persisting, cleared."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from opskit.audit.pack import REPORT
from opskit.audit.report import (
    SILENT,
    AuditReport,
    Comparison,
    EarlierFinding,
    Finding,
    Outcome,
)
from opskit.errors import InputError

PASSING = frozenset({Outcome.TRANSIENT.value, Outcome.NOTED.value})
"""Findings that are no faults: neither new nor persisting."""


class _Finding(msgspec.Struct):
    id: str
    check: str
    outcome: str
    account: str
    key: str
    condition: str


class _Document(msgspec.Struct):
    as_of: str
    findings: list[_Finding]


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """An earlier run: what to call it, and its findings by id."""

    name: str
    findings: Mapping[str, EarlierFinding]


def read_earlier(path: Path) -> EarlierRun:
    """The run of an evidence pack or of a report's JSON; InputError when it is neither."""
    place = path / REPORT if path.is_dir() else path
    try:
        document = msgspec.json.decode(place.read_bytes(), type=_Document)
    except OSError as error:
        message = f"--previous {place}: {error.strerror}; name an evidence pack or a report's JSON"
        raise InputError(message) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"--previous {place} is no report of an audit: {error}") from None
    findings = {
        found.id: EarlierFinding(found.id, found.check, found.account, found.key, found.condition)
        for found in document.findings
        if found.outcome not in PASSING
    }
    return EarlierRun(f"{path.name}, as of {document.as_of}", findings)


def compared(report: AuditReport, earlier: EarlierRun) -> Comparison:
    """What became of the earlier run's findings, and what is new since."""
    now = {f.id: f for f in report.findings if f.outcome.value not in PASSING}
    places = {_place(found) for found in earlier.findings.values()}
    fresh = {id_: found for id_, found in now.items() if id_ not in earlier.findings}
    changed = [id_ for id_, found in fresh.items() if _place(found) in places]
    here = {_place(now[id_]) for id_ in changed}
    gone = [
        found
        for id_, found in sorted(earlier.findings.items())
        if id_ not in now and _place(found) not in here
    ]
    return Comparison(
        earlier=earlier.name,
        new=tuple(id_ for id_ in fresh if id_ not in set(changed)),
        changed=tuple(changed),
        persisting=tuple(id_ for id_ in now if id_ in earlier.findings),
        cleared=tuple(found for found in gone if _looked_for(found, report)),
        unexamined=tuple(found for found in gone if not _looked_for(found, report)),
    )


def _place(found: Finding | EarlierFinding) -> tuple[str, str, str]:
    return found.check, found.account, found.key


def _looked_for(found: EarlierFinding, report: AuditReport) -> bool:
    """Whether the check ran to its end this time, over an account that could be judged."""
    ran = {result.id for result in report.results if result.outcome not in SILENT}
    return found.check in ran and found.account not in report.unjudged
