"""Every check bites: what a single corrupted item does to healthy books is found or harmless."""

import re
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from opskit.audit.report import AuditReport
from opskit.audit.run import audit_snapshot
from opskit.read.capture import read_captures
from tests.captures import write_capture
from tests.corruptions import Corruption, corrupted_copies, healthy_accounts

AS_OF = datetime(2026, 12, 1, tzinfo=UTC)
TABLE = Path(__file__).parents[1] / "data" / "harmless_corruptions.toml"
_MARK = re.compile(r"x[0-9]{5}$")


@dataclass(frozen=True, slots=True)
class Judged:
    """The checks that found each corruption, and those that found a healthy account."""

    found: dict[Corruption, set[str]]
    healthy: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """One audit of every corruption, each in an account of its own, beside the healthy ones."""
    accounts = healthy_accounts(AS_OF, 12)
    copies = list(corrupted_copies(accounts))
    folder = tmp_path_factory.mktemp("corruptions")
    items = [held for account in accounts.values() for held in account]
    items += [held for _, _, account in copies for held in account]
    snapshot = read_captures([write_capture(folder / "items.jsonl", items)], folder / "snapshot")
    raised = by_mark(audit_snapshot(snapshot, as_of=AS_OF))
    found = {corruption: raised[mark] for mark, corruption, _ in copies}
    return Judged(found, raised[""])


def by_mark(report: AuditReport) -> dict[str, set[str]]:
    """The checks that found something in each copy; those of the healthy accounts under ""."""
    raised: dict[str, set[str]] = defaultdict(set)
    for finding in report.findings:
        others = finding.evidence.get("accounts")
        for account in (finding.account, *(others if isinstance(others, list) else ())):
            match = _MARK.search(account)
            raised[match[0] if match else ""].add(finding.check)
    return raised


def harmless() -> list[dict[str, Any]]:
    """The table of harmless corruptions."""
    rows: list[dict[str, Any]] = tomllib.loads(TABLE.read_text())["harmless"]
    return rows


def excused(corruption: Corruption, row: dict[str, Any]) -> bool:
    """Whether a row of the table is about a corruption."""
    return (
        row["kind"] == corruption.kind
        and corruption.operation in row["operations"]
        and fnmatchcase(".".join(corruption.path) or "(item)", row["path"])
        and fnmatchcase(corruption.traits, row.get("traits", "*"))
    )


def test_healthy_accounts_are_not_touched_by_their_corrupted_copies(judged: Judged) -> None:
    """Nothing is found in an account that is healthy."""
    assert judged.healthy == set()


def test_every_corruption_is_found_or_known_to_be_harmless(judged: Judged) -> None:
    """What no check finds stands in the table with its reason."""
    assert len(judged.found) > 1_000
    missed = [corruption for corruption, checks in judged.found.items() if not checks]
    rows = harmless()
    unexcused = [c.name for c in missed if not any(excused(c, row) for row in rows)]
    assert unexcused == []


def test_the_table_excuses_nothing_that_is_found_anyway(judged: Judged) -> None:
    """A row that no missed corruption needs is taken out of the table."""
    missed = [corruption for corruption, checks in judged.found.items() if not checks]
    idle = [row for row in harmless() if not any(excused(c, row) for c in missed)]
    assert idle == []


def test_whatever_moves_a_counter_is_found(judged: Judged) -> None:
    """No corruption of an amount, a type, a state or a counter of live entries stays unseen."""
    money = ("amount_cents", "type", "state", "ts", "entry_id", "currency")
    missed = [
        corruption.name
        for corruption, checks in judged.found.items()
        if not checks
        and (
            (corruption.kind == "LEDGER" and corruption.path and corruption.path[0] in money)
            or (corruption.kind == "BALANCE" and corruption.path != ("updated_at",))
        )
    ]
    assert missed == []
