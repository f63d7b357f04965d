"""Explaining what several faults left together: on one entry, beside a reset, in large accounts."""

import random
from time import process_time

import pytest
from unit.test_explain import FIRST, T0, books, credit, entry

from opskit.audit.explain import AccountBooks, Entry, FaultClass, Payment, explain_drift
from opskit.audit.explain.drift import STEPS_PER_ACCOUNT
from opskit.ledger.counters import Counters


def classes_named(text: str) -> set[FaultClass]:
    """The classes that an explanation's text names for its entries."""
    told = text.split("Also consistent", maxsplit=1)[0]
    return {known for known in FaultClass if f": {known}, " in told}


def test_an_entry_counted_twice_and_never_released_carries_both_faults() -> None:
    """Held twice, a reversed entry was posted twice and its release lost; nothing else is wrong."""
    wrong = credit(1, "reversed", 2_499)
    explanation = explain_drift(books(FIRST, wrong), Counters(0, 0, 4_998, 0))
    assert (explanation.fault_class, explanation.candidates) == ("several", ((wrong.sk,),))
    assert classes_named(explanation.text) == {"posted_twice", "release_not_posted"}
    assert "Also consistent with" not in explanation.text


def test_two_faults_of_one_entry_are_as_good_as_one_each_of_two() -> None:
    """Where another entry of the amount could have been posted twice, that is listed too."""
    paid, wrong = credit(1, "settled", 2_499), credit(2, "reversed", 2_499)
    explanation = explain_drift(books(FIRST, paid, wrong), Counters(0, 0, 4_998, 0))
    assert explanation.candidates == ((paid.sk, wrong.sk), (wrong.sk,), (paid.sk,))


def test_a_pending_entry_settled_twice_carries_both_faults() -> None:
    """The settlement was counted twice, and the entry still says pending."""
    wrong = credit(1, "pending", 700)
    explanation = explain_drift(books(FIRST, wrong), Counters(0, 0, -1_400, 1_400))
    assert (explanation.fault_class, explanation.candidates) == ("several", ((wrong.sk,),))
    assert classes_named(explanation.text) == {"state_not_recorded", "settled_twice"}


def test_a_settlement_counted_three_times_is_one_class() -> None:
    """The same fault once more keeps its class, and the text says so."""
    wrong = credit(1, "settled", 700)
    explanation = explain_drift(books(FIRST, wrong), Counters(0, 0, -1_400, 1_400))
    assert (explanation.fault_class, explanation.candidates) == ("settled_twice", ((wrong.sk,),))
    assert "once more" in explanation.text


def test_three_settlements_of_one_entry_are_less_likely_than_two_of_each_of_two() -> None:
    """Both are listed, since a race and a retry may strike one entry; the likelier come first."""
    one, other = credit(1, "settled", 999), credit(2, "settled", 999)
    explanation = explain_drift(books(FIRST, one, other), Counters(0, 0, -1_998, 1_998))
    assert explanation.candidates == ((one.sk, other.sk), (one.sk,), (other.sk,))
    assert "The first is likelier; the rest is not ruled out" in explanation.text


def at(second: int, kind: str, state: str, amount: int, reason: str = "charge_once") -> Entry:
    """An entry made so many seconds after the account's first."""
    made = entry(0, kind, state, amount, reason)
    ts = T0 + second
    return Entry(f"LEDGER#{ts}#{second}", ts, kind, state, reason, amount, made.effect)


def opening() -> AccountBooks:
    """An account whose first write of BALANCE is slow: the rest is lost but for one settlement."""
    kept, released = at(1, "credit", "settled", 4_900), at(22, "credit", "reversed", 4_900)
    later = at(29, "credit", "settled", 4_900)
    return AccountBooks(
        "USER#u",
        (
            kept,
            at(10, "debit", "settled", 999, "usage"),
            at(16, "credit", "settled", 999),
            released,
            later,
            at(30, "debit", "pending", 1_999, "usage"),
        ),
        (
            Payment("PAY#1", "failed", released.sk, T0 + 35),
            Payment("PAY#2", "succeeded", later.sk, T0 + 133, by_webhook=True),
        ),
        T0 + 133,
    )


def test_counters_may_be_written_anew_after_a_release_that_no_entry_follows() -> None:
    """What was released before the reset is not lost by it, though no entry lies between them."""
    account = opening()
    drift = Counters(-1_999, -999, -4_900, -999)
    explanation = explain_drift(account, drift)
    lost = tuple(account.entries[number].sk for number in (1, 2, 4, 5))
    assert (explanation.fault_class, explanation.candidates) == ("counters_reset", (lost,))


def test_what_a_reset_lost_may_be_settled_twice_after_it() -> None:
    """An entry lost to the reset and then settled twice is explained by both together."""
    account = opening()
    drift = Counters(-1_999, -999, -9_800, 3_901)
    explanation = explain_drift(account, drift)
    assert explanation.fault_class == "several"
    assert tuple(account.entries[number].sk for number in (1, 2, 4, 5)) in explanation.candidates
    assert "4 entries from" in explanation.text
    assert "settled_twice" in classes_named(explanation.text)


def test_a_reset_may_lose_an_entry_whose_release_is_lost_as_well() -> None:
    """What is lost twice is not missed: such a reset is listed after one that nothing undid."""
    kept, paid = at(0, "credit", "settled", 4_900), at(2, "credit", "settled", 1_999)
    failed, undone = at(8, "credit", "reversed", 2_499), at(45, "credit", "reversed", 4_900)
    late = at(48, "credit", "settled", 4_900)
    payments = (
        Payment("PAY#1", "succeeded", kept.sk, T0 + 276),
        Payment("PAY#2", "payment_failed", failed.sk, T0 + 317),
        Payment("PAY#3", "payment_failed", undone.sk, T0 + 410),
        Payment("PAY#4", "succeeded", late.sk, T0 + 1_434),
    )
    account = AccountBooks("USER#u", (kept, paid, failed, undone, late), payments, T0 + 9_999)
    explanation = explain_drift(account, Counters(0, 0, -2_499, -6_899))
    assert explanation.fault_class == "counters_reset"
    assert explanation.candidates == (
        (kept.sk, paid.sk, failed.sk),
        (paid.sk, failed.sk, late.sk),
    )


def many(count: int) -> AccountBooks:
    """An account of so many entries of all kinds, their amounts by chance."""
    dice = random.Random(count)
    made = [
        entry(number, kind, state, dice.randint(200, 30_000), reason)
        for number in range(count)
        for kind, state, reason in [dice.choice(_KINDS)]
    ]
    return books(*made, written=count + 9)


_KINDS = [
    ("credit", "settled", "charge_once"),
    ("credit", "pending", "charge_once"),
    ("credit", "reversed", "charge_once"),
    ("debit", "settled", "usage"),
    ("debit", "pending", "usage"),
    ("adjustment", "settled", "refund"),
]


def test_work_is_bounded_and_a_search_at_its_bound_says_so() -> None:
    """When the steps are used up the drift is unexplained, never half explained."""
    explanation = explain_drift(many(200), Counters(0, 0, 123_457, 1), steps=500)
    assert (explanation.fault_class, explanation.candidates) == (FaultClass.UNEXPLAINED, ())
    assert "the search ended at its bound of 500 steps for an account" in explanation.text
    assert "before it had tried every set" in explanation.text


def test_more_sets_than_can_be_compared_are_not_picked_from() -> None:
    """Where millions of sets fit, the drift is unexplained and the text says why."""
    twins = [credit(number, "settled", 999) for number in range(3_000)]
    drift = Counters(0, 0, 1_998, -1_998)
    explanation = explain_drift(books(*twins, written=4_000), drift)
    assert (explanation.fault_class, explanation.candidates) == (FaultClass.UNEXPLAINED, ())
    assert "more sets of entries fit one side or both than it can compare" in explanation.text


@pytest.mark.parametrize("faults", [1, 2])
def test_one_or_two_faults_are_found_in_an_account_of_many_entries(faults: int) -> None:
    """Two thousand entries leave room to find what one or two of them did."""
    account = many(2_000)
    wrong = [found for found in account.entries if found.type == "credit"][-faults:]
    drift = sum((Counters() - found.effect for found in wrong), start=Counters())
    explanation = explain_drift(account, drift)
    assert tuple(found.sk for found in wrong) in explanation.candidates


def test_an_account_of_twenty_thousand_entries_ends_within_its_share() -> None:
    """Faults too many to be found use up the steps and no more: seconds, not hours."""
    account, drift = many(20_000), Counters(11, 13, 17, 19)
    began = process_time()
    explanation = explain_drift(account, drift)
    assert process_time() - began < 60
    assert explanation.fault_class == FaultClass.UNEXPLAINED
    assert f"bound of {STEPS_PER_ACCOUNT:,} steps" in explanation.text
