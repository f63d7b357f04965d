"""Threads of a read: none is left behind, whenever the interrupt comes."""

import _thread
import threading

import pytest

from opskit.read.crew import work_through
from opskit.read.patience import Patience
from tests.faults.judge import orphans

PARTS = [str(number) for number in range(16)]


@pytest.mark.parametrize("early", range(16))
def test_interrupted_at_the_start(early: int) -> None:
    """Ctrl-C while the threads are being started stops and awaits the ones that run."""
    patience = Patience()
    begun: list[str] = []
    lock = threading.Lock()

    def work(part: str) -> None:
        with lock:
            begun.append(part)
            due = len(begun) == early + 1
        if due:
            _thread.interrupt_main()
        assert patience.stop.wait(20), "nobody said stop"

    with pytest.raises(KeyboardInterrupt):
        work_through(PARTS, work, workers=len(PARTS), patience=patience)
    assert patience.stop.is_set()
    assert not orphans()
