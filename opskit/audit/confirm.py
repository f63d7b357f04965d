"""Confirming what was found in a live table: only what two reads of a still account show is FAILED.

A scan is no snapshot, and the service writes in several steps. So every account that a comparing
check found at fault is read again whole until it lies still, and the checks run once more over
books in which those accounts are as they were read last.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from opskit.audit.check import Check
from opskit.audit.report import (
    AuditReport,
    CheckResult,
    Finding,
    Outcome,
    Reread,
    decided_again,
)
from opskit.audit.reread import (
    ReadAccount,
    Rereads,
    Say,
    Stillness,
    fingerprints,
    items_of,
    reread_until_still,
)
from opskit.read.schema import Batches
from opskit.read.snapshot import Snapshot, SnapshotWriter
from opskit.tables.items import SERVICE_PARTITIONS, KindName

Audit = Callable[[Snapshot], AuditReport]
"""Judges a snapshot without excusing accounts that were written to lately."""

_GONE = "; it was gone when the account was read again"
_MOVING = "; the account was still being written to, or could not be read again"
_NOT_READ = "; an account it is about was not read again"


@dataclass(frozen=True, slots=True)
class LiveBooks:
    """A live table's first reading, how to read an account again, and where to put the outcome."""

    first: Snapshot
    read: ReadAccount
    out: Path


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The confirmed report, and the snapshot it rests on."""

    report: AuditReport
    snapshot: Snapshot


def confirm(
    live: LiveBooks,
    checks: Iterable[Check],
    audit: Audit,
    stillness: Stillness,
    say: Say = lambda _: None,
) -> Confirmed:
    """Audit a live table's snapshot, read the accounts at fault again, and judge what is left.

    A finding that is still there in a still account is FAILED with both reads; one that is gone is
    TRANSIENT; one of an account that would not lie still is INCONCLUSIVE.
    """
    report = audit(live.first)
    comparing = frozenset(check.id for check in checks if not check.judges_single_items)
    accounts = candidates(report, comparing)
    if not accounts:
        return Confirmed(report, live.first)
    say(f"confirm: accounts with findings, to be read again: {len(accounts):,}")
    rereads = reread_until_still(live.read, accounts, stillness, say)
    now, second = live.first, report
    if not _as_first_read(live.first, rereads):
        now = _merged(live, rereads)
        second = audit(now)
    judged = _judged(report, second, comparing, rereads)
    note = _note(len(accounts), rereads, judged)
    say(f"confirm: {note}")
    return Confirmed(replace(judged, remarks=(*judged.remarks, note)), now)


def candidates(report: AuditReport, comparing: frozenset[str]) -> list[str]:
    """The accounts that a finding which compares items is about, in order."""
    found: set[str] = set()
    for finding in report.findings:
        if finding.check in comparing and finding.outcome is Outcome.FAILED:
            found |= _about(finding)
    return sorted(found)


def _about(finding: Finding) -> set[str]:
    """The user accounts a finding speaks of."""
    others = finding.evidence.get("accounts")
    named = {finding.account, *(others if isinstance(others, list) else ())}
    return named - SERVICE_PARTITIONS - {""}


def _as_first_read(first: Snapshot, rereads: Rereads) -> bool:
    """Whether all accounts lay still and are as the first reading has them: nothing to redo."""
    if rereads.moving:
        return False
    before = fingerprints(_items(first, frozenset(rereads.stable), theirs=True))
    return all(
        before.get(account) == reads[-1].fingerprint for account, reads in rereads.stable.items()
    )


def _merged(live: LiveBooks, rereads: Rereads) -> Snapshot:
    """The first reading with the accounts that were read again as they were read last."""
    manifest = live.first.manifest
    ended = [
        reads[-1].at for reads in (*rereads.stable.values(), *rereads.moving.values()) if reads
    ]
    with SnapshotWriter(live.out) as writer:
        for batches in _items(live.first, frozenset(rereads.pages), theirs=False):
            writer.write("first read", batches)
        for batches in items_of(rereads.pages):
            writer.write("read again", batches)
        return writer.finish(
            manifest.source,
            started=datetime.fromisoformat(manifest.started),
            ended=max(ended, default=datetime.fromisoformat(manifest.ended)),
            capacity_units=manifest.capacity_units,
        )


def _items(snapshot: Snapshot, accounts: frozenset[str], *, theirs: bool) -> Iterator[Batches]:
    """The snapshot's items of some accounts, or those of all others."""
    named = pa.array(sorted(accounts), pa.string())
    for kind in KindName:
        for path in snapshot.files(kind):
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches():
                    among = pc.is_in(batch["account"], named)
                    yield {kind: batch.filter(among if theirs else pc.invert(among))}


def _judged(
    first: AuditReport, second: AuditReport, comparing: frozenset[str], rereads: Rereads
) -> AuditReport:
    """The second report, every finding of a comparing check as the reads of its accounts allow."""
    before = {result.id: result for result in first.results}
    results = tuple(
        _result(before.get(result.id), result, rereads) if result.id in comparing else result
        for result in second.results
    )
    return replace(second, results=results)


def _result(before: CheckResult | None, now: CheckResult, rereads: Rereads) -> CheckResult:
    """One check's result with the findings of both runs, each decided."""
    still = {(finding.account, finding.key) for finding in now.findings}
    gone = [
        finding
        for finding in (before.findings if before else ())
        if finding.outcome is Outcome.FAILED and (finding.account, finding.key) not in still
    ]
    decided = [_still_there(finding, rereads) for finding in now.findings]
    decided += [_gone(finding, rereads) for finding in gone]
    return decided_again(now, tuple(decided))


def _still_there(finding: Finding, rereads: Rereads) -> Finding:
    about = _about(finding)
    if finding.outcome is not Outcome.FAILED or not about:
        return finding
    if not about.isdisjoint(rereads.moving):
        return _as(finding, Outcome.INCONCLUSIVE, _MOVING, _reads(about, rereads.moving))
    if about <= rereads.stable.keys():
        return replace(finding, rereads=_reads(about, rereads.stable))
    return _as(finding, Outcome.INCONCLUSIVE, _NOT_READ, ())


def _gone(finding: Finding, rereads: Rereads) -> Finding:
    about = _about(finding)
    if not about.isdisjoint(rereads.moving):
        return _as(finding, Outcome.INCONCLUSIVE, _MOVING, _reads(about, rereads.moving))
    return _as(finding, Outcome.TRANSIENT, _GONE, _reads(about, rereads.stable))


def _reads(about: set[str], of: Mapping[str, tuple[Reread, ...]]) -> tuple[Reread, ...]:
    return tuple(read for account in sorted(about) for read in of.get(account, ()))


def _as(finding: Finding, outcome: Outcome, why: str, reads: tuple[Reread, ...]) -> Finding:
    condition = finding.condition + why
    return replace(finding, outcome=outcome, condition=condition, rereads=reads)


def _note(read: int, rereads: Rereads, report: AuditReport) -> str:
    """What confirming came to, in one sentence."""
    ended = [f.outcome for f in report.findings if f.rereads or f.outcome is Outcome.TRANSIENT]
    parts = [
        f"Accounts with findings that were read again: {read:,}; {len(rereads.stable):,} lay still",
        f"{len(rereads.moving) - len(rereads.troubles):,} kept moving",
    ]
    if rereads.troubles:
        first = sorted(rereads.troubles.items())[0]
        parts.append(f"{len(rereads.troubles):,} could not be read ({first[0]}: {first[1]})")
    confirmed = sum(outcome is Outcome.FAILED for outcome in ended)
    gone = sum(outcome is Outcome.TRANSIENT for outcome in ended)
    cut = " Confirming was interrupted." if rereads.interrupted else ""
    return f"{', '.join(parts)}; findings confirmed: {confirmed:,}, transient: {gone:,}.{cut}"
