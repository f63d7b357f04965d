"""The captured books of both layouts, audited from the file against an independent calculation."""

import gzip
import json
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from opskit.audit.report import AuditReport, Outcome
from opskit.audit.run import audit_snapshot
from opskit.cli import cli
from opskit.read.capture import read_captures

CAPTURE = Path(__file__).parents[1] / "data" / "billing-capture"
FILES = [CAPTURE / "billing.jsonl.gz", CAPTURE / "billing_ccbill.jsonl.gz"]
AS_OF = datetime(2026, 12, 1, tzinfo=UTC)
COUNTERS = ["owed_pending", "owed_settled", "payments_pending", "payments_settled"]
RAISES_OWED = (
    "dispute_funds_withdrawn payment.capture.denied payment.capture.declined "
    "payment.capture.refunded chargeback refund void return"
).split()


def entry_effect(item: dict[str, dict[str, str]]) -> dict[str, int]:
    """What one captured entry does to the counters, from the contract's table by hand."""
    amount = int(item["amount_cents"]["N"])
    kind, state, reason = (item[name]["S"] for name in ("type", "state", "reason"))
    if state == "reversed":
        return {}
    if kind in ("debit", "credit"):
        side = "owed" if kind == "debit" else "payments"
        return {f"{side}_{state}": amount}
    assert state == "settled"
    if reason == "dispute_funds_reinstated":
        return {"owed_settled": -amount}
    assert reason in RAISES_OWED
    return {"owed_settled": amount}


def true_drift(files: list[Path]) -> dict[str, dict[str, int]]:
    """The non-zero drift of every account of the captures, computed without opskit."""
    drift: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTERS, 0))
    for path in files:
        with gzip.open(path, "rt") as lines:
            for line in lines:
                item = json.loads(line)["Item"]
                account = (item.get("pk") or item["user_sub"])["S"]
                if item["sk"]["S"] == "BALANCE":
                    for counter in COUNTERS:
                        drift[account][counter] += int(item[f"{counter}_cents"]["N"])
                elif item["sk"]["S"].startswith("LEDGER#"):
                    for counter, effect in entry_effect(item).items():
                        drift[account][counter] -= effect
    nonzero = {a: {c: v for c, v in d.items() if v} for a, d in drift.items()}
    return {account: found for account, found in nonzero.items() if found}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> AuditReport:
    """The audit of both captures in one run."""
    folder = tmp_path_factory.mktemp("audit") / "snapshot"
    return audit_snapshot(read_captures(FILES, folder), as_of=AS_OF)


def test_exactly_the_counters_that_differ_are_reported(report: AuditReport) -> None:
    """Each drifted account of both layouts is found with its drift, and no other account is."""
    found = {
        finding.account: finding.evidence["drift"]
        for finding in report.findings
        if finding.check == "balances.stored_equals_entries"
    }
    assert found == true_drift(FILES)
    assert len(found) == 43


def test_every_captured_item_is_examined_and_classified(report: AuditReport) -> None:
    """The capture's 2,881 items are all there, and none is of an unknown kind."""
    assert report.examined["items"] == 2881
    assert report.examined["unclassified"] == 0
    outcomes = {result.id: result.outcome for result in report.results}
    assert outcomes["items.classified"] is Outcome.PASSED
    assert outcomes["items.well_formed"] is Outcome.PASSED
    assert not [o for o in outcomes.values() if o is Outcome.ERRORED]


def test_control_totals_are_the_sums_over_all_accounts(report: AuditReport) -> None:
    """Stored less computed, over the books, is the sum of the drifts of the accounts."""
    differences = {total.counter: total.difference for total in report.control_totals}
    drifts = true_drift(FILES).values()
    assert differences == {c: sum(d.get(c, 0) for d in drifts) for c in COUNTERS}


def test_the_command_prints_the_contracts_json_and_exits_1() -> None:
    """`opskit audit --from-items A B --json` is one JSON document of the agreed shape."""
    command = ["audit", "--from-items", *map(str, FILES), "--as-of", "2026-12-01", "--json"]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 1, result.stderr
    document = json.loads(result.stdout)
    assert {"verdict", "as_of", "examined", "checks", "findings", "control_totals"} <= set(document)
    finding = document["findings"][0]
    wanted = "check severity outcome account key condition evidence explanation".split()
    assert set(wanted) <= set(finding)
    drift = {
        finding["account"]: finding["evidence"]["drift"]
        for finding in document["findings"]
        if finding["check"] == "balances.stored_equals_entries"
    }
    assert drift == true_drift(FILES)


def test_one_layout_alone_is_audited_alone() -> None:
    """A glob of checks over one capture reports that capture's accounts and no others."""
    command = ["audit", "--from-items", str(FILES[1]), "--check", "balances.stored*", "--json"]
    document = json.loads(CliRunner().invoke(cli, command).stdout)
    assert {finding["account"] for finding in document["findings"]} == set(true_drift(FILES[1:]))
    assert [check["id"] for check in document["checks"]] == ["balances.stored_equals_entries"]
