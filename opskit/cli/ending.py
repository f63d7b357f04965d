"""How a verb ends that is told to from outside: in order, so that nothing of it stays behind."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

EXIT_TERMINATED = 128 + signal.SIGTERM


@contextmanager
def orderly_end(stop: Callable[[str, int], NoReturn]) -> Iterator[None]:
    """Make SIGTERM leave every block within, then `stop` with a message and an exit status.

    Without it the process would die at once, and its scratch folders, which hold items, would stay.
    What handles or ignores the signal already goes on to do so.
    """
    told = threading.Event()

    def end(*_: object) -> NoReturn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not break off the first
        told.set()
        raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    ours = main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if ours:
        signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if told.is_set():
            stop("terminated; nothing more was done", EXIT_TERMINATED)
