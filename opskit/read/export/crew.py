"""Shares decoded by several processes, none of which outlives the read."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event
from threading import Thread

from opskit.errors import ReadError
from opskit.read.export.files import FileRead, Share, read_share

SMALL = 8 * 1024 * 1024
"""Starting processes takes longer than reading so many compressed bytes."""


def read_shares(shares: Sequence[Share], workers: int) -> Iterator[list[FileRead]]:
    """Each share's files as read, in the order they end; the first error ends all."""
    size = sum(file.size for share in shares for file in share.files)
    if workers == 1 or len(shares) == 1 or size < SMALL:
        yield from (read_share(share) for share in shares)
        return
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with ProcessPoolExecutor(workers, context, _begin, (stop,)) as pool:
        try:
            pending = {pool.submit(_work, share) for share in shares}
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        except BrokenProcessPool:
            message = "a process that decoded the export ended (out of memory?)"
            raise ReadError(f"{message}; run it again with fewer workers") from None
        finally:
            # Also reached by Ctrl-C, which only this process acts on.
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


_stops: list[Event] = []


def _begin(stop: Event) -> None:
    """Make a process of the pool ready: it ends with its parent, and not by Ctrl-C."""
    _stops.append(stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_end_with, args=(parent.join,), daemon=True).start()


def _go_on() -> bool:
    return not any(stop.is_set() for stop in _stops)


def _end_with(gone: Callable[[], None]) -> None:
    gone()
    os._exit(1)


def _work(share: Share) -> list[FileRead]:
    return read_share(share, _go_on)


def usable_processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
