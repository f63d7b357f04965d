"""How far a read is, in words, not more than once a second."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

Progress = Callable[[str], None]


def say_nothing(message: str) -> None:
    """Keep progress to oneself."""
    del message


@dataclass(slots=True)
class Meter:
    """Counts the items of a read and tells the rate and, from a stale total, about how long still.

    `expected` is what DescribeTable said, up to six hours old; 0 is not known.
    """

    name: str
    tell: Progress
    expected: int = 0
    every: float = 1.0
    clock: Callable[[], float] = time.monotonic
    items: int = 0
    _began: float | None = None
    _told: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def add(self, items: int) -> None:
        """Count items, and tell when it is time."""
        with self._lock:
            now = self.clock()
            if self._began is None:
                self._began = self._told = now
            self.items += items
            due = now - self._told >= self.every
            if due:
                self._told = now
        if due:
            self.tell(self.line())

    def line(self) -> str:
        """The progress so far as one line."""
        elapsed = 0.0 if self._began is None else self.clock() - self._began
        text = f"{self.name}: {self.items:,} items read"
        if elapsed <= 0:
            return text
        rate = self.items / elapsed
        text += f", {rate:,.0f} a second"
        left = self.expected - self.items
        if left > 0 and rate > 0:
            text += f", about {left / rate:,.0f} s left of about {self.expected:,} items"
        return text
