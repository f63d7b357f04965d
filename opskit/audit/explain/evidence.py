"""What payments, webhook markers and times say for or against a posting."""

from collections import Counter
from dataclasses import dataclass

from opskit.audit.explain.classes import FaultClass
from opskit.audit.explain.rows import AccountBooks, Entry, Payment, Rail

HANDLER_SECONDS = 60
"""A handler has made all its writes, counters and payment, within so many seconds."""

_SETTLED = frozenset({"succeeded", "paid"})

_FIRST_MISSING = frozenset({FaultClass.ENTRY_NOT_POSTED, FaultClass.ADJUSTMENT_NOT_POSTED})
_LATER_MISSING = frozenset({FaultClass.SETTLE_NOT_POSTED, FaultClass.RELEASE_NOT_POSTED})


@dataclass(frozen=True, slots=True)
class Evidence:
    """An entry with what else the books say of it.

    `moments` counts how often each second is the time of an entry or a payment's last write.
    """

    books: AccountBooks
    entry: Entry
    payment: Payment | None
    moments: Counter[int]

    @property
    def counters_untouched_since_entry(self) -> bool:
        """Whether BALANCE was last written before the entry."""
        written = self.books.balance_updated_at
        return written is not None and written < self.entry.ts

    @property
    def counters_untouched_since_payment(self) -> bool:
        """Whether BALANCE was last written well before the payment's last write."""
        written = self.books.balance_updated_at
        paid = self.payment.updated_at if self.payment else None
        return written is not None and paid is not None and written < paid - HANDLER_SECONDS

    @property
    def release_was_counted(self) -> bool:
        """Whether BALANCE was last written with the payment, so that what ended it was counted."""
        return self.payment is not None and self.counters_last_written_at(self.payment.updated_at)

    def counters_last_written_at(self, moment: int | None) -> bool:
        """Whether BALANCE was last written at a moment that nothing else of the account has."""
        return (
            moment is not None
            and self.books.balance_updated_at == moment
            and self.moments[moment] == 1
        )


def doubt(fault: FaultClass, units: tuple[int, int], evidence: Evidence) -> int:
    """How many times the evidence speaks against a posting; 0 when it agrees with all of it."""
    return sum(
        (
            fault not in _FIRST_MISSING and evidence.counters_untouched_since_entry,
            _posted_after_all(fault, evidence),
            _paid_but_not_counted(fault, units, evidence),
            _finished_but_not_recorded(fault, units, evidence),
        )
    )


def _posted_after_all(fault: FaultClass, evidence: Evidence) -> bool:
    """BALANCE was last written at exactly the time of the posting that is said to be missing."""
    if fault in _FIRST_MISSING and evidence.payment is None:
        return evidence.counters_last_written_at(evidence.entry.ts)
    if fault in _LATER_MISSING and evidence.payment is not None:
        return evidence.counters_last_written_at(evidence.payment.updated_at)
    return False


def _paid_but_not_counted(fault: FaultClass, units: tuple[int, int], evidence: Evidence) -> bool:
    """The payment record, which is written after the counters, is there."""
    counted = fault is FaultClass.ENTRY_NOT_POSTED and units != (-1, 0)
    return counted and evidence.payment is not None


def settled_by_one_alone(fault: FaultClass, evidence: Evidence) -> bool:
    """No webhook came while this one was settled, which PayPal's call and webhook do twice.

    That leaves a repeated write of the counters, so that it is less likely and not ruled out.
    """
    payment = evidence.payment
    if fault is not FaultClass.SETTLED_TWICE or payment is None or payment.by_webhook:
        return False
    if evidence.entry.rail is not Rail.PAYPAL:
        return False
    end = payment.updated_at if payment.updated_at is not None else evidence.entry.ts
    webhooks = evidence.books.webhooks_of(Rail.PAYPAL)
    return webhooks.any_within(evidence.entry.ts, end) is False


def _finished_but_not_recorded(
    fault: FaultClass, units: tuple[int, int], evidence: Evidence
) -> bool:
    """The payment says succeeded, and the entry's state is written before the payment's."""
    if fault is not FaultClass.STATE_NOT_RECORDED or evidence.payment is None:
        return False
    return evidence.payment.status in _SETTLED and units == (-1, 1)
