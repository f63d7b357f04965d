"""The posting rules are the contract's table, every combination of it."""

import itertools

import pytest

from opskit.ledger.counters import Counters
from opskit.ledger.posting_rules import effect_of, posting_rules

OWED = (
    "dispute_funds_withdrawn payment.capture.denied payment.capture.declined "
    "payment.capture.refunded chargeback refund void return"
).split()
REASONS = [*OWED, "dispute_funds_reinstated", "usage", "anything"]


def contract(type_: str, state: str, reason: str) -> tuple[int, int, int, int] | None:
    """The contract's table (section 3), written out again by hand."""
    if state == "reversed":
        return 0, 0, 0, 0
    if type_ == "debit":
        return (1, 0, 0, 0) if state == "pending" else (0, 1, 0, 0)
    if type_ == "credit":
        return (0, 0, 1, 0) if state == "pending" else (0, 0, 0, 1)
    if state == "settled" and reason in OWED:
        return 0, 1, 0, 0
    if state == "settled" and reason == "dispute_funds_reinstated":
        return 0, -1, 0, 0
    return None


@pytest.mark.parametrize("type_", ["debit", "credit", "adjustment"])
@pytest.mark.parametrize("state", ["pending", "settled", "reversed"])
@pytest.mark.parametrize("reason", REASONS)
def test_the_rules_are_the_contracts(type_: str, state: str, reason: str) -> None:
    """Each type, state and reason has the effect of the contract's table, or none is known."""
    wanted = contract(type_, state, reason)
    effect = effect_of(type_, state, reason)
    assert (effect and effect.values()) == wanted


def test_no_entry_follows_two_rules() -> None:
    """Two rules never match one entry, so the order of the file does not matter."""
    types = ["debit", "credit", "adjustment", "bogus", None]
    states = ["pending", "settled", "reversed", "bogus", None]
    for entry in itertools.product(types, states, [*REASONS, None]):
        assert sum(rule.matches(*entry) for rule in posting_rules()) <= 1


def test_a_drift_names_only_the_counters_that_differ() -> None:
    """Counters subtract one by one, and those that are zero are left out."""
    drift = Counters(1, 2, 3, 4) - Counters(1, 5, 3, 0)
    assert drift.nonzero() == {"owed_settled": -3, "payments_settled": 4}
