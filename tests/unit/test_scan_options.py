"""What a scan may be asked for, its pace, and what it says of its progress."""

from decimal import Decimal
from typing import Any

import pytest

from opskit.errors import InputError
from opskit.read.gate import Gate
from opskit.read.patience import Patience
from opskit.read.progress import Meter
from opskit.read.scan import ScanOptions


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The seconds it shows."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move it."""
        self.now += seconds


@pytest.mark.parametrize("segments", [0, -1, 1.5, "2", True, 1_000_001])
def test_segments_that_are_none(segments: Any) -> None:
    """A number of segments that DynamoDB would refuse is refused before anything is sent."""
    with pytest.raises(InputError, match=r"segments is .* give a whole number from 1 to 1,000,000"):
        ScanOptions(segments=segments)


@pytest.mark.parametrize("units", [0, -5, float("nan")])
def test_a_pace_that_never_ends(units: float) -> None:
    """No read units a second is refused, not taken for any number of them."""
    with pytest.raises(InputError, match="give more"):
        Gate(1, units)


def test_the_pace_is_kept() -> None:
    """Pages of 50 units at 100 units a second take half a second each after the first."""
    clock = Clock()
    patience = Patience(clock=clock, sleep=clock.sleep)
    gate = Gate(1, 100)
    for _ in range(21):
        with gate.turn(patience):
            pass
        gate.spend(Decimal(50))
    assert clock.now == pytest.approx(10.0)
    assert gate.spent == 21 * 50


def test_a_throttle_halves_and_success_restores() -> None:
    """The number of requests under way falls by half and grows again one by one."""
    gate = Gate(8)
    gate.slow_down()
    gate.slow_down()
    assert gate.limit == 2
    for _ in range(100):
        gate.spend(Decimal(1))
    assert gate.limit == 8


def test_progress_is_told_once_a_second_with_an_estimate() -> None:
    """The line carries the rate, and what is left by a total that is only about right."""
    clock = Clock()
    told: list[str] = []
    meter = Meter("books", told.append, expected=1_000, clock=clock)
    for _ in range(8):
        meter.add(100)
        clock.sleep(0.5)
    assert told[-1] == "books: 700 items read, 233 a second, about 1 s left of about 1,000 items"
    assert len(told) == 3
