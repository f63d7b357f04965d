"""Adding an explanation to each finding of drift."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from opskit.audit.explain.drift import explain_drift
from opskit.audit.explain.load import in_batches, load_accounts
from opskit.audit.explain.rows import AccountBooks
from opskit.audit.report import Finding
from opskit.ledger.books import Books
from opskit.ledger.counters import Counters

DRIFT_CHECK = "balances.stored_equals_entries"
ACCOUNTS_PER_QUERY = 5_000


def explain_findings(books: Books, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The same findings in the same order, those of counter drift with an explanation."""
    given = tuple(findings)
    accounts = sorted({finding.account for finding in given if _drift(finding) is not None})
    explained: dict[int, Finding] = {}
    for batch in in_batches(accounts, ACCOUNTS_PER_QUERY):
        loaded = load_accounts(books, batch)
        for number, finding in enumerate(given):
            if finding.account in loaded and _drift(finding) is not None:
                explained[number] = _explained(finding, loaded[finding.account])
    return tuple(explained.get(number, finding) for number, finding in enumerate(given))


def _drift(finding: Finding) -> Counters | None:
    """What the stored counters are off by, if that is what the finding says."""
    drift = finding.evidence.get("drift")
    if finding.check != DRIFT_CHECK or not isinstance(drift, Mapping):
        return None
    counters = Counters.of({name: int(value) for name, value in drift.items()})
    return counters if counters != Counters() else None


def _currency(finding: Finding) -> str:
    """The currency that the finding states, "" when it is not the code of one."""
    code = finding.evidence.get("currency")
    known = isinstance(code, str) and len(code) == 3 and code.isascii() and code.isalpha()
    return str(code) if known else ""


def _explained(finding: Finding, accounts: list[AccountBooks]) -> Finding:
    """The finding explained from the account that has as many entries as it says."""
    drift = _drift(finding)
    assert drift is not None
    counted = finding.evidence.get("entries")
    meant = [account for account in accounts if len(account.entries) == counted]
    account = (meant or accounts)[0]
    return replace(finding, explanation=explain_drift(account, drift, currency=_currency(finding)))
