"""How long apply waits, and by which clock; handed in, so that a test waits for nothing."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event


@dataclass(frozen=True, slots=True)
class Patience:
    """A clock in seconds, a way to sleep, and the bounds of every wait.

    A plain create takes 20 to 60 s on AWS; TTL is refused for up to 2 minutes while other
    settings of a new table settle. Setting `stop` ends every wait.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] | None = None
    active_within: float = 600.0
    accepted_within: float = 150.0
    poll_every: float = 1.0
    longest_pause: float = 10.0
    stop: Event = field(default_factory=Event)

    def pauses(self, within: float) -> "Pauses":
        """Start a bounded series of growing pauses."""
        return Pauses(self, self.clock() + within, self.poll_every)


@dataclass(slots=True)
class Pauses:
    """Growing pauses up to a deadline."""

    patience: Patience
    deadline: float
    next_pause: float

    def another(self) -> bool:
        """Sleep and return True, or return False when the deadline leaves no time."""
        left = self.deadline - self.patience.clock()
        if left <= 0 or self.patience.stop.is_set():
            return False
        sleep = self.patience.sleep or self.patience.stop.wait
        sleep(min(self.next_pause, left))
        self.next_pause = min(self.next_pause * 1.5, self.patience.longest_pause)
        return not self.patience.stop.is_set()
