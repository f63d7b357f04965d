"""How many requests a read may have under way, and how many read units it may spend a second."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from threading import Condition

from opskit.errors import InputError
from opskit.read.patience import Patience

_LONGEST_WAIT = 0.5


class Gate:
    """Lets requests through: fewer after a throttle, one more after a round without.

    The number under way is halved by a throttle and grows by one for as many successes as it is
    itself, up to `workers`. With `read_units`, a request waits while the units spent are ahead of
    so many a second.
    """

    def __init__(self, workers: int, read_units: float | None = None) -> None:
        if read_units is not None and not read_units > 0:
            raise InputError(f"a read of {read_units:g} read units a second never ends; give more")
        self._workers = workers
        self._limit = float(workers)
        self._under_way = 0
        self._changed = Condition()
        self._rate = read_units
        self._balance = 0.0
        self._settled: float | None = None
        self.spent = Decimal(0)

    @property
    def limit(self) -> int:
        """How many requests may be under way now."""
        return max(1, int(self._limit))

    @contextmanager
    def turn(self, patience: Patience) -> Iterator[None]:
        """Wait for a turn and hold it while the request is under way."""
        while (debt := self._debt(patience.clock())) > 0 and not patience.stop.is_set():
            patience.wait(debt)
        with self._changed:
            while self._under_way >= self.limit and not patience.stop.is_set():
                self._changed.wait(_LONGEST_WAIT)
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify()

    def _debt(self, now: float) -> float:
        """The seconds until the units spent are within the rate again."""
        if self._rate is None:
            return 0.0
        with self._changed:
            elapsed = 0.0 if self._settled is None else now - self._settled
            self._settled = now
            self._balance = min(self._balance + elapsed * self._rate, 0.0)
            return -self._balance / self._rate

    def spend(self, units: Decimal) -> None:
        """Count what a page has cost; its success lets more requests through."""
        with self._changed:
            self.spent += units
            self._balance -= float(units)
            self._limit = min(self._workers, self._limit + 1 / self._limit)
            self._changed.notify()

    def slow_down(self) -> None:
        """Let half as many requests through."""
        with self._changed:
            self._limit = max(1.0, self._limit / 2)
