"""The simulator: the same history for the same seed, and healthy books without faults."""

import json
from collections import Counter
from pathlib import Path

import pytest

from opskit.ledger.books import open_books
from opskit.ledger.counters import Counters
from opskit.read.capture import read_captures
from opskit.sandbox.account import Processor
from opskit.sandbox.simulator import AS_OF, CLEAN, STORMY, FaultRates, begin, drift_of, simulate

SEEDS = range(400)


def test_a_seed_always_gives_the_same_history() -> None:
    """Items, drift and truth are equal from run to run, and differ from seed to seed."""
    assert simulate(7, faults=STORMY) == simulate(7, faults=STORMY)
    assert simulate(7).items != simulate(8).items


def test_without_faults_the_counters_agree_with_the_entries() -> None:
    """Clean histories neither drift nor leave a flow unfinished."""
    for history in map(simulate, SEEDS):
        assert history.drift == Counters()
        assert history.injected == ()
        assert not history.in_flight


def test_drift_has_a_cause_and_a_cause_makes_drift() -> None:
    """Under faults an account drifts exactly when the log of movements names why.

    Faults that cancel one another out are the exception, and rare.
    """
    histories = [simulate(seed, faults=STORMY) for seed in SEEDS]
    assert all(history.injected for history in histories if history.drift != Counters())
    cancelled = [h.seed for h in histories if h.injected and h.drift == Counters()]
    assert len(cancelled) <= 2


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        (FaultRates(crash=0.05), {"entry_not_posted", "state_not_recorded"}),
        (FaultRates(race=1.0), {"settled_twice"}),
        (FaultRates(late=1.0), {"settle_not_posted", "release_not_posted"}),
        (FaultRates(lost=0.3), {"settle_not_posted", "release_not_posted"}),
        (FaultRates(reset=1.0), {"counters_reset"}),
        (FaultRates(duplicate=0.1), {"posted_twice", "settled_twice", "adjustment_posted_twice"}),
    ],
)
def test_each_kind_of_fault_leaves_its_own_marks(rates: FaultRates, expected: set[str]) -> None:
    """One kind of fault alone leads to the classes that the write orders say it must."""
    faults = [fault for seed in SEEDS for fault in simulate(seed, faults=rates).injected]
    assert expected <= {fault.fault_class for fault in faults}


def test_a_cut_history_ends_in_the_middle_of_its_writes() -> None:
    """A cut leaves a flow unfinished, its last write within a minute before the end."""
    end = int(AS_OF.timestamp())
    for seed in range(60):
        whole = simulate(seed)
        cut = simulate(seed, stop_after=1 + seed % whole.writes)
        assert cut.writes <= whole.writes
        newest = max(int(str(item[name]["N"])) for item in cut.items for name in _times(item))
        assert 0 <= end - newest <= 60


def _times(item: dict[str, dict[str, object]]) -> list[str]:
    return [name for name in ("ts", "updated_at") if name in item]


def test_a_world_may_be_run_a_write_at_a_time() -> None:
    """Stopping after each write and going on leads to the same items as one run."""
    stepwise, at_once = begin(11, 0), begin(11, 0)
    at_once.run()
    while stepwise.writes < at_once.writes:
        stepwise.run(writes=stepwise.writes + 1)
    assert stepwise.items == at_once.items
    assert drift_of(stepwise) == Counters()


def test_items_are_shaped_as_the_service_writes_them(tmp_path: Path) -> None:
    """Every item of every processor is classified and free of defects when read as a capture."""
    histories = [simulate(seed, faults=CLEAN) for seed in range(150)]
    capture = tmp_path / "capture.jsonl"
    lines = [json.dumps({"Item": item}) for history in histories for item in history.items]
    capture.write_text("\n".join(lines))
    with open_books(read_captures([capture], tmp_path / "snapshot")) as books:
        rows = books.rows("SELECT kind, count(*) AS items FROM items GROUP BY kind")
        defects = books.rows("SELECT * FROM items WHERE len(defects) > 0")
        unlinked = books.rows(
            "SELECT sk FROM payments WHERE kind <> 'subscription_charge' AND ledger_sk IS NULL"
        )
    kinds = Counter({str(row["kind"]): int(str(row["items"])) for row in rows})
    assert {"entries", "balances", "payments", "subscriptions", "markers"} <= set(kinds)
    assert kinds["unclassified"] == 0
    assert defects == []
    assert unlinked == []


def test_every_processor_is_simulated() -> None:
    """Stripe, PayPal and CCBill accounts all occur."""
    processors = {history.account.removeprefix("USER#")[:2] for history in map(simulate, SEEDS)}
    assert processors == set(Processor)
