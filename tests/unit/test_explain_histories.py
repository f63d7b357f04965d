"""Two thousand simulated histories, audited as the accounts of one books.

An account is rightly explained when one candidate has exactly its true faults, class for class. A
class counts as named when it is the candidate's own, or one that the explanation says would leave
the same numbers on the same entry ("also consistent with"): nothing in the books tells such
classes apart. The true entries must then be among the listed candidates. Faults that cancel one
another, or that add up to a smaller set, are not left out: they count as wrongly explained.
"""

from pathlib import Path

import pytest
from soak.histories import history

from opskit.sandbox.simulator import AS_OF
from opskit.sandbox.simulator.judge import Score, audit_histories

HISTORIES = 2_000


@pytest.fixture(scope="module")
def score(tmp_path_factory: pytest.TempPathFactory) -> Score:
    """The score of histories with faults, clean ones and ones in flight."""
    folder: Path = tmp_path_factory.mktemp("histories")
    return audit_histories([history(seed) for seed in range(HISTORIES)], folder, AS_OF)


def test_every_injected_drift_is_found_to_the_cent(score: Score) -> None:
    """Each drifted account has a failed finding with exactly the drift that was injected."""
    assert score.drifted > 200
    assert score.missed == ()


def test_nothing_fails_that_is_clean_or_in_flight(score: Score) -> None:
    """No check of the whole catalogue fails a history without faults or half way through."""
    assert score.invented == ()


def test_the_true_classes_are_named(score: Score) -> None:
    """In at least 98 of 100 drifted accounts a candidate has the true classes, fault for fault."""
    assert score.class_right >= 0.98, score.misread


def test_the_true_entries_are_listed(score: Score) -> None:
    """Wherever the classes are right, the true entries are among the listed candidates."""
    assert score.unlisted == ()


def test_most_explanations_name_one_class_and_it_is_the_true_one(score: Score) -> None:
    """Ambiguity is the exception: in 85 of 100 the class alone is exactly the true one."""
    assert score.exact / score.drifted > 0.85
