"""Waivers: faults that somebody answers for until a date, by the ids of findings.

A finding's id is made of its evidence. When the item changes, the finding has another id and the
waiver no longer covers it.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from opskit.audit.report import AuditReport, CheckResult, Finding, Outcome, decided_again
from opskit.errors import InputError

_ID = re.compile(r"[0-9a-f]{16}")
_FIELDS = ("finding", "reason", "owner", "expires")
_FORM = 'one [[waiver]] each, with finding = "16 hex digits", reason, owner and expires'


@dataclass(frozen=True, slots=True)
class Waiver:
    """One finding that is answered for; `expires` is the first day it no longer is."""

    finding: str
    reason: str
    owner: str
    expires: date


def read_waivers(path: Path) -> tuple[Waiver, ...]:
    """The waivers of a TOML file; InputError names the waiver and the field that is wrong."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"--waivers {path}: {error.strerror}; name a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"--waivers {path} is not TOML: {error}") from None
    unknown = sorted(document.keys() - {"waiver"})
    rows = document.get("waiver", [])
    if unknown or not isinstance(rows, list):
        named = unknown[0] if unknown else "waiver"
        raise InputError(f"--waivers {path}: {named} is not wanted so; write {_FORM}")
    waivers = tuple(_waiver(f"{path}, waiver {n}", row) for n, row in enumerate(rows, start=1))
    for earlier, later in zip(sorted(waivers, key=_id), sorted(waivers, key=_id)[1:], strict=False):
        if earlier.finding == later.finding:
            raise InputError(f"--waivers {path}: finding {later.finding} is waived twice; keep one")
    return waivers


def _id(waiver: Waiver) -> str:
    return waiver.finding


def _waiver(place: str, row: object) -> Waiver:
    if not isinstance(row, Mapping):
        raise InputError(f"--waivers {place} is not a table; write {_FORM}")
    for name in sorted(row.keys() - set(_FIELDS)):
        raise InputError(f"--waivers {place}: {name} is unknown; write {_FORM}")
    for name in ("finding", "reason", "owner"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise InputError(f"--waivers {place}: {name} is missing or not text; write {_FORM}")
    if not _ID.fullmatch(row["finding"]):
        raise InputError(f"--waivers {place}: finding {row['finding']!r} is not 16 hex digits")
    expires = row.get("expires")
    if type(expires) is not date:
        message = "expires is missing or not a date; write it bare, as expires = 2027-01-31"
        raise InputError(f"--waivers {place}: {message}")
    return Waiver(row["finding"], row["reason"], row["owner"], expires)


def waived(report: AuditReport, waivers: Sequence[Waiver]) -> AuditReport:
    """The report with the failed findings that waivers cover WAIVED.

    A waiver that has expired, or that covers no failed finding, waives nothing and is remarked on.
    """
    today = report.as_of.date()
    valid = {waiver.finding: waiver for waiver in waivers if today < waiver.expires}
    results = tuple(_result(result, valid) for result in report.results)
    failed = {f.id for f in report.findings if f.outcome is Outcome.FAILED}
    remarks = [remark for waiver in waivers if (remark := _remark(waiver, failed, valid))]
    return replace(report, results=results, remarks=(*report.remarks, *remarks))


def _result(result: CheckResult, valid: Mapping[str, Waiver]) -> CheckResult:
    findings = tuple(_finding(finding, valid) for finding in result.findings)
    return result if findings == result.findings else decided_again(result, findings)


def _finding(finding: Finding, valid: Mapping[str, Waiver]) -> Finding:
    waiver = valid.get(finding.id) if finding.outcome is Outcome.FAILED else None
    if waiver is None:
        return finding
    words = f"; waived until {waiver.expires} by {waiver.owner}: {waiver.reason}"
    return replace(finding, outcome=Outcome.WAIVED, condition=finding.condition + words)


def _remark(waiver: Waiver, failed: set[str], valid: Mapping[str, Waiver]) -> str:
    """What must be said of a waiver that waives nothing; "" of one that does."""
    name = f"The waiver of {waiver.finding} by {waiver.owner}"
    if waiver.finding not in valid:
        still = "; the fault is there still" if waiver.finding in failed else ""
        return f"{name} expired on {waiver.expires}{still}."
    if waiver.finding in failed:
        return ""
    return (
        f"{name} covers nothing found: the fault is gone, its check did not run, or the item "
        "changed, which gives the finding another id and makes the waiver void."
    )
