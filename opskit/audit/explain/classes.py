"""The classes of fault that make stored counters drift from the entries."""

from collections.abc import Mapping
from enum import StrEnum


class FaultClass(StrEnum):
    """What happened to the postings; the values are stable identifiers.

    The signature beside each is what it adds to (owed_pending, owed_settled, payments_pending,
    payments_settled), stored less computed, for a credit of `a`; a debit has the same in the
    first two places.
    """

    SETTLED_TWICE = "settled_twice"
    """(0, 0, -a, +a), the entry settled: its settlement reached the counters twice (or
    more often: the same with 2a)."""

    SETTLE_NOT_POSTED = "settle_not_posted"
    """(0, 0, +a, -a), the entry settled: the counters still hold it as pending."""

    RELEASE_NOT_POSTED = "release_not_posted"
    """(0, 0, +a, 0), the entry reversed: the counters still hold it as pending; or (0, 0, 0, +a):
    they still hold it as settled."""

    RELEASED_TWICE = "released_twice"
    """(0, 0, -a, 0) or (0, 0, 0, -a), the entry reversed: it was taken back twice."""

    ENTRY_NOT_POSTED = "entry_not_posted"
    """(0, 0, -a, 0) of a pending entry, (0, 0, 0, -a) of a settled one: it was never counted; or
    (0, 0, -a, 0) of a settled one: only its settlement was."""

    POSTED_TWICE = "posted_twice"
    """(0, 0, +a, 0) or (0, 0, 0, +a), the entry pending or settled: it was first counted twice."""

    STATE_NOT_RECORDED = "state_not_recorded"
    """(0, 0, -a, +a) or (0, 0, -a, 0), the entry pending: the counters have its settlement or
    release, the entry does not say so."""

    SETTLED_AND_RELEASED = "settled_and_released"
    """(0, 0, -a, 0) of a settled entry, (0, 0, -a, +a) of a reversed one: both were counted."""

    ADJUSTMENT_NOT_POSTED = "adjustment_not_posted"
    """(0, -a, 0, 0), or (0, +a, 0, 0) of a reinstated one: the adjustment was never counted."""

    ADJUSTMENT_POSTED_TWICE = "adjustment_posted_twice"
    """(0, +a, 0, 0), or (0, -a, 0, 0) of a reinstated one: the adjustment was counted twice."""

    COUNTERS_RESET = "counters_reset"
    """Minus the sum of everything before some entry: BALANCE was written anew at zeros there."""

    SEVERAL = "several"
    """Faults of different classes together; the text names the class of each."""

    UNEXPLAINED = "unexplained"
    """No set of missing or repeated postings was found that accounts for all four counters."""


WORDS: Mapping[FaultClass, str] = {
    FaultClass.SETTLED_TWICE: "the settlement was counted twice",
    FaultClass.SETTLE_NOT_POSTED: "the settlement was never counted, the amount is still pending",
    FaultClass.RELEASE_NOT_POSTED: "the release was never counted, the amount is still held",
    FaultClass.RELEASED_TWICE: "the release was counted twice",
    FaultClass.ENTRY_NOT_POSTED: "the entry was never counted",
    FaultClass.POSTED_TWICE: "the entry was counted twice",
    FaultClass.STATE_NOT_RECORDED: "the counters moved on, the entry still says pending",
    FaultClass.SETTLED_AND_RELEASED: "a settlement and a release were both counted",
    FaultClass.ADJUSTMENT_NOT_POSTED: "the adjustment was never counted",
    FaultClass.ADJUSTMENT_POSTED_TWICE: "the adjustment was counted twice",
    FaultClass.COUNTERS_RESET: "BALANCE was written anew at zeros after them",
}
"""What each class of a single fault says of its entries."""
