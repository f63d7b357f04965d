"""Explaining drift: one account's rows in, classes, candidates and words out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opskit.audit.explain import (
    AccountBooks,
    Entry,
    FaultClass,
    Payment,
    Rail,
    WebhookTimes,
    explain_drift,
)
from opskit.audit.explain.drift import fault_sets
from opskit.audit.explain.wording import LISTED
from opskit.ledger.counters import Counters
from opskit.ledger.posting_rules import effect_of

T0 = 1_780_000_000


def entry(number: int, kind: str, state: str, amount: int, reason: str = "usage") -> Entry:
    """An entry made `number` days after the account's first."""
    ts = T0 + number * 86_400
    unit = effect_of(kind, state, reason)
    assert unit is not None
    effect = Counters(*(amount * value for value in unit.values()))
    return Entry(f"LEDGER#{ts}#{number}", ts, kind, state, reason, amount, effect, Rail.PAYPAL)


def credit(number: int, state: str, amount: int) -> Entry:
    """A one-time credit."""
    return entry(number, "credit", state, amount, "charge_once")


def books(*entries: Entry, payments: tuple[Payment, ...] = (), written: int = 99) -> AccountBooks:
    """An account whose BALANCE was last written so many days after its first entry."""
    return AccountBooks("USER#u", entries, payments, T0 + written * 86_400)


FIRST = credit(0, "settled", 111)
"""Some earlier entry, so that what is looked at is not the account's first."""


@pytest.mark.parametrize(
    ("wrong", "drift", "fault_class"),
    [
        (credit(1, "settled", 700), Counters(0, 0, -700, 700), "settled_twice"),
        (credit(1, "settled", 700), Counters(0, 0, 700, -700), "settle_not_posted"),
        (credit(1, "settled", 700), Counters(0, 0, 0, -700), "entry_not_posted"),
        (credit(1, "settled", 700), Counters(0, 0, -700, 0), "entry_not_posted"),
        (credit(1, "settled", 700), Counters(0, 0, 0, 700), "posted_twice"),
        (credit(1, "pending", 700), Counters(0, 0, -700, 0), "entry_not_posted"),
        (credit(1, "pending", 700), Counters(0, 0, 700, 0), "posted_twice"),
        (credit(1, "pending", 700), Counters(0, 0, -700, 700), "state_not_recorded"),
        (credit(1, "reversed", 700), Counters(0, 0, 700, 0), "release_not_posted"),
        (credit(1, "reversed", 700), Counters(0, 0, 0, 700), "release_not_posted"),
        (credit(1, "reversed", 700), Counters(0, 0, -700, 0), "released_twice"),
        (credit(1, "reversed", 700), Counters(0, 0, -700, 700), "settled_and_released"),
        (entry(1, "debit", "settled", 700), Counters(0, -700, 0, 0), "entry_not_posted"),
        (entry(1, "debit", "settled", 700), Counters(700, -700, 0, 0), "settle_not_posted"),
        (entry(1, "debit", "pending", 700), Counters(-700, 700, 0, 0), "state_not_recorded"),
        (
            entry(1, "adjustment", "settled", 700, "refund"),
            Counters(0, -700, 0, 0),
            "adjustment_not_posted",
        ),
        (
            entry(1, "adjustment", "settled", 700, "refund"),
            Counters(0, 700, 0, 0),
            "adjustment_posted_twice",
        ),
        (
            entry(1, "adjustment", "settled", 700, "dispute_funds_reinstated"),
            Counters(0, 700, 0, 0),
            "adjustment_not_posted",
        ),
    ],
)
def test_each_signature_names_its_class_and_entry(
    wrong: Entry, drift: Counters, fault_class: str
) -> None:
    """A single fault is named with the one entry it concerns."""
    explanation = explain_drift(books(FIRST, wrong), drift)
    assert (explanation.fault_class, explanation.candidates) == (fault_class, ((wrong.sk,),))
    assert wrong.sk in explanation.text


def test_equally_good_candidates_are_all_listed() -> None:
    """Two entries of one amount are two candidates, and the text says so."""
    twins = credit(1, "settled", 999), credit(2, "settled", 999)
    explanation = explain_drift(books(FIRST, *twins), Counters(0, 0, 999, -999))
    assert explanation.candidates == ((twins[0].sk,), (twins[1].sk,))
    assert explanation.text.startswith("2 of 2 equally good sets")


def test_candidates_of_different_classes_are_both_named() -> None:
    """A pending and a reversed entry of one amount leave both classes open."""
    open_, taken = credit(1, "pending", 999), credit(2, "reversed", 999)
    explanation = explain_drift(books(FIRST, open_, taken), Counters(0, 0, -999, 0))
    assert explanation.fault_class == "released_twice or entry_not_posted"
    assert set(explanation.candidates) == {(open_.sk,), (taken.sk,)}


def test_a_payment_record_speaks_against_an_entry_never_counted() -> None:
    """The payment is written after the counters, so the entry without one is the candidate."""
    paid, unpaid = credit(1, "settled", 999), credit(2, "settled", 999)
    payment = Payment("PAY#1", "succeeded", paid.sk, paid.ts + 5)
    explanation = explain_drift(
        books(FIRST, paid, unpaid, payments=(payment,)), Counters(0, 0, 0, -999)
    )
    assert explanation.candidates == ((unpaid.sk,),)
    assert "1 more set of the same size fits the amounts" in explanation.text


def test_a_settlement_that_a_webhook_touched_is_the_likelier_one() -> None:
    """Of two captures of one amount, the one that was not raced comes last: a retry may be it."""
    by_call, by_webhook = credit(1, "settled", 999), credit(2, "settled", 999)
    account = AccountBooks(
        "USER#u",
        (FIRST, by_call, by_webhook),
        (
            Payment("PAY#1", "succeeded", by_call.sk, by_call.ts + 9),
            Payment("PAY#2", "succeeded", by_webhook.sk, by_webhook.ts + 9, by_webhook=True),
        ),
        T0 + 99 * 86_400,
        {Rail.PAYPAL: WebhookTimes((T0, by_webhook.ts + 9))},
    )
    explanation = explain_drift(account, Counters(0, 0, -999, 999))
    assert explanation.candidates == ((by_webhook.sk,), (by_call.sk,))
    assert "The first is likelier" in explanation.text


def test_markers_that_have_expired_prove_nothing() -> None:
    """Where the markers of that time are gone, neither capture is the likelier one."""
    first, second = credit(1, "settled", 999), credit(2, "settled", 999)
    account = AccountBooks(
        "USER#u",
        (FIRST, first, second),
        (
            Payment("PAY#1", "succeeded", first.sk, first.ts + 9),
            Payment("PAY#2", "succeeded", second.sk, second.ts + 9),
        ),
        T0 + 99 * 86_400,
        {Rail.PAYPAL: WebhookTimes((T0 + 50 * 86_400,))},
    )
    explanation = explain_drift(account, Counters(0, 0, -999, 999))
    assert explanation.candidates == ((first.sk,), (second.sk,))
    assert "likelier" not in explanation.text


def test_nothing_was_posted_twice_after_the_last_write_of_the_counters() -> None:
    """An entry newer than BALANCE's last write cannot have been counted twice."""
    old, new = credit(1, "pending", 999), credit(5, "pending", 999)
    explanation = explain_drift(books(FIRST, old, new, written=2), Counters(0, 0, 999, 0))
    assert explanation.candidates == ((old.sk,),)


def test_faults_of_one_class_keep_its_name() -> None:
    """Two settlements counted twice are one candidate of two entries."""
    one, other = credit(1, "settled", 700), credit(2, "settled", 1_300)
    explanation = explain_drift(books(FIRST, one, other), Counters(0, 0, -2_000, 2_000))
    assert explanation.fault_class == "settled_twice"
    assert explanation.candidates == ((one.sk, other.sk),)


def test_faults_of_different_classes_on_both_sides_are_several() -> None:
    """Three faults at once are found together, each side on its own."""
    lost = entry(1, "debit", "settled", 5_003)
    late, gone = credit(2, "settled", 27_311), credit(3, "pending", 12_468)
    drift = Counters(0, -5_003, 27_311 - 12_468, -27_311)
    explanation = explain_drift(books(FIRST, lost, late, gone), drift)
    assert explanation.fault_class == "several"
    assert explanation.candidates == ((lost.sk, late.sk, gone.sk),)
    assert "settle_not_posted" in explanation.text
    assert "entry_not_posted" in explanation.text


def test_counters_written_anew_name_every_entry_dropped() -> None:
    """Stored counters that equal a proper suffix of the entries are a reset."""
    paid = tuple(credit(n, "settled", 1_000 + 7 * n) for n in range(5))
    payments = tuple(Payment(f"PAY#{e.sk}", "succeeded", e.sk, e.ts) for e in paid)
    drift = Counters(0, 0, 0, -sum(e.amount for e in paid[:3]))
    explanation = explain_drift(books(*paid, payments=payments), drift)
    assert explanation.fault_class == "counters_reset"
    assert explanation.candidates == (tuple(e.sk for e in paid[:3]),)


def test_a_reset_that_drops_one_entry_is_said_to_be_possible() -> None:
    """One entry lost at the account's opening is consistent with both."""
    explanation = explain_drift(
        books(FIRST, credit(1, "settled", 50)), Counters(0, 0, 0, -FIRST.amount)
    )
    assert explanation.fault_class == "entry_not_posted"
    assert "Also consistent with: counters_reset." in explanation.text


def test_what_no_posting_fits_is_left_unexplained() -> None:
    """A drift of no entry's amount has no candidates and says how much it is."""
    explanation = explain_drift(books(FIRST), Counters(0, 123_456, 0, -5), currency="usd")
    assert (explanation.fault_class, explanation.candidates) == ("unexplained", ())
    assert "owed settled +1,234.56 USD, payments settled -0.05 USD" in explanation.text


@pytest.mark.parametrize(
    ("currency", "amount"),
    [("usd", "of 24.99 USD"), ("JPY", "of 2,499 JPY"), ("", "of 2,499 minor units")],
)
def test_amounts_are_money_where_the_currency_is_known(currency: str, amount: str) -> None:
    """The text says amounts as the currency writes them, never as bare minor units."""
    wrong = credit(1, "settled", 2_499)
    drift = Counters(0, 0, 2_499, -2_499)
    assert amount in explain_drift(books(FIRST, wrong), drift, currency=currency).text


def test_one_side_alone_does_not_explain_the_account() -> None:
    """All four counters must be accounted for together."""
    explanation = explain_drift(books(FIRST), Counters(0, 5, 0, -FIRST.amount))
    assert explanation.fault_class == FaultClass.UNEXPLAINED


def test_an_account_without_entries_is_unexplained() -> None:
    """Counters of an account that has no entry have no posting to be explained by."""
    assert explain_drift(books(), Counters(0, 5, 0, 0)).fault_class == "unexplained"


def test_a_long_list_is_capped_and_counted() -> None:
    """More candidates than are listed are counted in the text."""
    twins = [credit(n, "settled", 999) for n in range(1, 151)]
    explanation = explain_drift(books(FIRST, *twins, written=200), Counters(0, 0, 999, -999))
    assert len(explanation.candidates) == LISTED
    assert explanation.text.startswith("100 of 150 equally good sets")


_STATES = st.sampled_from(["pending", "settled", "reversed"])
_ENTRIES = st.lists(st.tuples(_STATES, st.integers(1, 9)), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(_ENTRIES, st.tuples(*[st.integers(-12, 12)] * 2))
def test_every_candidate_adds_up_to_the_drift(
    entries: list[tuple[str, int]], off: tuple[int, int]
) -> None:
    """Whatever the books and the drift, each set found sums to all four counters exactly."""
    made = [credit(n, state, amount) for n, (state, amount) in enumerate(entries)]
    drift = Counters(0, 0, *off)
    for faults in fault_sets(books(*made), drift):
        vectors = [posting.vector for posting in faults.postings]
        found = Counters(0, 0, sum(v[0] for v in vectors), sum(v[1] for v in vectors))
        assert found + (faults.reset.drift if faults.reset else Counters()) == drift
