"""Whether history was changed: the ledger's entries beside those of the previous evidence pack."""

from collections.abc import Iterator, Sequence

import duckdb
import pyarrow.parquet as pq

from opskit.audit.check import HISTORY, Check
from opskit.audit.report import CheckResult, Finding, Outcome, Severity
from opskit.errors import InputError
from opskit.read.schema import SCHEMAS
from opskit.read.snapshot import Snapshot
from opskit.tables.items import KindName

CHECK = HISTORY
FIXED = ("entry_id", "ts", "type", "amount_cents", "reason")
"""What an entry keeps for ever."""

MOVES = (("pending", "settled"), ("pending", "reversed"), ("settled", "reversed"))
"""The ways an entry's state may go."""

NO_PREVIOUS = "there is no previous evidence pack to compare with; name one with --previous"

_KEY = ("layout", "account", "sk")
_TITLE = "No ledger entry was deleted or rewritten since the previous evidence pack"
_CRITERION = (
    "Every entry of the previous pack is still there with its id, time, type, amount, reason and "
    "processor ids; its state is the same or went from pending to settled or reversed, or from "
    "settled to reversed."
)
_REMEDY = "Find out who wrote to the entry; a correction belongs in an entry of its own."
DEFINITION = Check(
    id=CHECK,
    severity=Severity.CRITICAL,
    title=_TITLE,
    criterion=_CRITERION,
    remedy=_REMEDY,
    population="",
    query="",
    catalogue="STA-04",
    source=f"""-- id: {CHECK}
-- catalogue: STA-04
-- severity: critical
-- title: {_TITLE}
-- criterion: {_CRITERION}
-- remedy: {_REMEDY}
-- This check has no SQL over one run's views: `opskit audit --previous PACK` compares the entries
-- of two snapshots (opskit/audit/history.py). Without a previous pack it is skipped.""",
)
"""The check as a list of checks shows it."""


def history_skipped(why: str = NO_PREVIOUS) -> CheckResult:
    """The check's result where there is nothing to compare with."""
    return _result(Outcome.SKIPPED, reason=why)


def history_result(previous: Snapshot, now: Snapshot) -> CheckResult:
    """Compare every entry of the previous snapshot with itself now.

    An entry may gain a processor's id and move on in state; one that is gone, or differs in
    anything else, is a finding. InputError when the snapshots are of different tables.
    """
    _require_same_table(previous, now)
    examined = previous.rows(KindName.ENTRIES)
    if not examined:
        return _result(Outcome.SKIPPED, reason="the previous evidence pack has no entries")
    findings = tuple(_findings(previous, now))
    outcome = Outcome.FAILED if findings else Outcome.PASSED
    return _result(outcome, examined=examined, findings=findings)


def _result(
    outcome: Outcome, *, examined: int = 0, findings: tuple[Finding, ...] = (), reason: str = ""
) -> CheckResult:
    return CheckResult(
        id=CHECK,
        severity=DEFINITION.severity,
        title=DEFINITION.title,
        criterion=DEFINITION.criterion,
        remedy=DEFINITION.remedy,
        outcome=outcome,
        examined=examined,
        findings=findings,
        reason=reason,
    )


def _require_same_table(previous: Snapshot, now: Snapshot) -> None:
    before, after = previous.manifest.source, now.manifest.source
    if before.table_id and after.table_id and before.table_id != after.table_id:
        message = f"--previous is of table {before.arn or before.name} with id {before.table_id}"
        raise InputError(f"{message}, these books are of id {after.table_id}; name its own pack")
    if before.partition != after.partition:
        message = "--previous and these books are not of the same accounts"
        raise InputError(f"{message}; compare whole tables, or one account with itself")


def _columns(snapshot: Snapshot) -> list[str]:
    """The columns of the snapshot's entries, those of every file."""
    names = [set(pq.read_schema(path).names) for path in snapshot.files(KindName.ENTRIES)]
    return sorted(set.intersection(set(SCHEMAS[KindName.ENTRIES].names), *names))


def _findings(previous: Snapshot, now: Snapshot) -> Iterator[Finding]:
    shared = set(_columns(previous)) & set(_columns(now))
    ids = sorted(name for name in shared if name.endswith("_id") and name not in FIXED)
    rows, names = _differing(previous, now, ids)
    for row in rows:
        yield _finding(dict(zip(names, row, strict=True)), ids)


def _differing(
    previous: Snapshot, now: Snapshot, ids: Sequence[str]
) -> tuple[list[tuple[object, ...]], list[str]]:
    """The entries that are gone or differ in what they may not, before and now side by side."""
    compared = [*FIXED, "state", *ids]
    sides = ", ".join(f"old.{n} AS before_{n}, new.{n} AS now_{n}" for n in compared)
    changed = [f"old.{name} IS DISTINCT FROM new.{name}" for name in FIXED]
    changed += [f"(old.{n} IS NOT NULL AND old.{n} IS DISTINCT FROM new.{n})" for n in ids]
    moves = " OR ".join(f"(old.state = '{a}' AND new.state = '{b}')" for a, b in MOVES)
    changed.append(f"(old.state IS DISTINCT FROM new.state AND ({moves}) IS NOT TRUE)")
    here = [str(path) for path in previous.files(KindName.ENTRIES)]
    there = [str(path) for path in now.files(KindName.ENTRIES)]
    # Without a single entry now there is no file; the previous one's shape stands for it, empty.
    rows_now = "read_parquet(?)" if there else "(SELECT * FROM read_parquet(?) WHERE false)"
    with duckdb.connect() as db:
        db.execute("SET enable_progress_bar = false")
        answer = db.execute(
            f"SELECT {', '.join(f'old.{n}' for n in _KEY)}, new.sk IS NULL AS gone, {sides} "
            f"FROM read_parquet(?) AS old LEFT JOIN {rows_now} AS new "
            f"ON {' AND '.join(f'old.{n} = new.{n}' for n in _KEY)} "
            f"WHERE new.sk IS NULL OR {' OR '.join(changed)} ORDER BY old.account, old.sk",
            [here, there or here],
        )
        names = [column[0] for column in answer.description or ()]
        return answer.fetchall(), names


def _finding(row: dict[str, object], ids: Sequence[str]) -> Finding:
    compared = (*FIXED, "state", *ids)
    before = {name: row[f"before_{name}"] for name in compared}
    now = {name: row[f"now_{name}"] for name in compared}
    gone = bool(row["gone"])
    differing = [n for n in compared if before[n] != now[n] and (n not in ids or before[n])]
    shown = ("type", "state", "reason", "amount_cents") if gone else differing
    evidence: dict[str, object] = {"before": {name: before[name] for name in shown}}
    if not gone:
        evidence["now"] = {name: now[name] for name in shown}
    return Finding(
        check=CHECK,
        severity=Severity.CRITICAL,
        outcome=Outcome.FAILED,
        account=str(row["account"]),
        key=str(row["sk"]),
        condition="the entry of the previous evidence pack is gone"
        if gone
        else f"the entry was rewritten since the previous evidence pack: {', '.join(differing)}",
        evidence=evidence,
    )
