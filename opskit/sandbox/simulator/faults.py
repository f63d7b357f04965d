"""How often each kind of fault strikes a simulated history."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FaultRates:
    """Chances between 0 and 1; all zero, the default, makes clean histories."""

    crash: float = 0.0
    """Per write, and per call of the processor: the flow stops for good after it."""

    duplicate: float = 0.0
    """Per write to the counters: it is made twice, as by a retry of a request that arrived.

    Every other write puts the same item again, which changes nothing.
    """

    lost: float = 0.0
    """Per settlement or release: it never reaches the counters, everything after it does."""

    race: float = 0.0
    """Per PayPal capture call: its webhook comes while the call is still at work.

    No other entry has two writers: Stripe's call ends before its first write, and each of CCBill's
    webhooks makes an entry of its own. First writes of BALANCE race under `reset`, everywhere.
    """

    reorder: float = 0.0
    """Per webhook: it comes long after later ones; also that it is repeated, with the marker there
    to stop it."""

    late: float = 0.0
    """Per Stripe charge: the first status is neither processing nor requires_action."""

    reset: float = 0.0
    """Per account: the first write of BALANCE is slow, others come between."""

    unheard: float = 0.0
    """Per payment that waits: nothing is ever heard of it again."""

    amountless: float = 0.0
    """Per CCBill adjustment: its webhook lacks the amount, the entry is of zero."""


CLEAN = FaultRates()

STORMY = FaultRates(
    crash=0.015,
    duplicate=0.008,
    lost=0.025,
    race=0.15,
    reorder=0.1,
    late=0.1,
    reset=0.06,
    unheard=0.25,
    amountless=0.1,
)
"""Rates that leave three in ten accounts drifted, one in six of those by several faults."""
