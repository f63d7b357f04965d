"""Patience without waiting: a clock of its own for every thread, which only sleeping moves."""

import threading
from random import Random

from opskit.read.patience import Patience


class VirtualClock(threading.local):
    """Seconds of one thread's own."""

    seconds = 0.0

    def now(self) -> float:
        """The time of the thread that asks."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let the thread's time pass."""
        self.seconds += seconds


def patience_on(clock: VirtualClock, seed: int = 0) -> Patience:
    """The reads' own patience of a minute a page, on a clock of threads' own."""
    return Patience(clock=clock.now, sleep=clock.sleep, rng=Random(seed))
