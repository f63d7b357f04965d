"""How a verb ends that is told to from outside: in order, so that nothing of it stays behind."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

EXIT_TERMINATED = 128 + signal.SIGTERM

_Handler = Callable[[int, FrameType | None], Any] | int | None


@contextmanager
def orderly_end(stop: Callable[[str, int], NoReturn]) -> Iterator[None]:
    """Make SIGTERM leave every block within, then `stop` with a message and an exit status.

    Without it the process would die at once, and its scratch folders, which hold items, would stay.
    An interrupt leaves them too; where Python drops its exception, because it rose in a
    destructor, a verb that would end with 0 is stopped all the same. What handles or ignores a
    signal already goes on to do so.
    """
    told: set[int] = set()

    def end(number: int, _: object) -> NoReturn:
        if number == signal.SIGTERM:
            signal.signal(number, signal.SIG_IGN)  # a second one must not break off the first
        told.add(number)
        raise KeyboardInterrupt

    before = _replaced(end)
    try:
        yield
    except (SystemExit, RuntimeError) as ended:
        if _lost(told, ended):
            raise KeyboardInterrupt from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if signal.SIGTERM in told:
            stop("terminated; nothing more was done", EXIT_TERMINATED)


def _lost(told: set[int], ended: SystemExit | RuntimeError) -> bool:
    """Whether a block ended as if nothing had been told, though something was.

    DuckDB puts an error of its own in the place of the handler's.
    """
    if isinstance(ended, SystemExit):
        return signal.SIGINT in told and not ended.code
    return bool(told)


def _replaced(handler: Callable[[int, object], NoReturn]) -> dict[int, _Handler]:
    """Set the handler of the signals that still have Python's own; what they had before."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    own: dict[int, _Handler] = {
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGINT: signal.default_int_handler,
    }
    before = {number: was for number, was in own.items() if signal.getsignal(number) is was}
    for number in before:
        signal.signal(number, handler)
    return before
