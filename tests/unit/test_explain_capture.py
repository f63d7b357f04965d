"""The captured books: every drifted account explained, by class as the evidence says."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opskit.audit.check import load_checks, select_checks
from opskit.audit.report import Finding
from opskit.audit.run import audit_snapshot
from opskit.read.capture import read_captures

CAPTURE = Path(__file__).parents[1] / "data" / "billing-capture"
FILES = [CAPTURE / "billing.jsonl.gz", CAPTURE / "billing_ccbill.jsonl.gz"]


@pytest.fixture(scope="module")
def drifted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    """The findings of drift by account."""
    snapshot = read_captures(FILES, tmp_path_factory.mktemp("capture") / "snapshot")
    checks = select_checks(load_checks(), "balances.stored_equals_entries")
    report = audit_snapshot(snapshot, as_of=datetime(2026, 12, 1, tzinfo=UTC), checks=checks)
    return {finding.account: finding for finding in report.findings}


def test_every_drift_of_the_capture_is_explained(drifted: dict[str, Finding]) -> None:
    """None of the 43 is left unexplained, and the classes are these."""
    classes = Counter(f.explanation.fault_class for f in drifted.values() if f.explanation)
    assert classes == {
        "settled_twice": 16,
        "entry_not_posted": 14,
        "settle_not_posted": 7,
        "release_not_posted": 4,
        "several": 2,
    }


def test_two_captures_settled_twice_are_told_apart_from_one(drifted: dict[str, Finding]) -> None:
    """Account pp-0007 is off by 25,766: the captures of 8,492 and 17,274 together."""
    explanation = drifted["USER#pp-0007"].explanation
    assert explanation is not None
    [keys] = explanation.candidates
    assert [key.split("#")[1] for key in keys] == ["1774975602", "1775240314"]
