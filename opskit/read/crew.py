"""Work on several parts of a read at once, in threads that are never left behind."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Condition

from opskit.errors import CorruptResponseError
from opskit.read.patience import SDK_ERRORS, LoopError, Patience, Trouble, trouble_of

_LOOK_EVERY = 0.2

Failures = Mapping[str, Exception]
"""The parts that failed, each with the error that ended it."""


def work_through(
    parts: Sequence[str], work: Callable[[str], None], *, workers: int, patience: Patience
) -> Failures:
    """Do the work of every part, `workers` at a time; the parts that failed.

    An error that asking again cannot help stops the others too; each ends after the page it is at.
    An error of neither the SDK nor a reply is a mistake: it stops all and is raised. So does and is
    an interrupt, after every thread has ended.
    """
    failures: dict[str, Exception] = {}
    busy = _Busy()
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="opskit-read")
    try:
        futures = {pool.submit(busy.doing, work, part): part for part in parts}
        pending = set(futures)
        while pending:
            done, pending = wait(pending, _LOOK_EVERY, return_when=FIRST_COMPLETED)
            for future in done:
                _note(futures[future], future, failures, patience)
    except BaseException:  # Ctrl-C among them, which may come while the threads are being started
        patience.stop.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        busy.wait()
    return failures


class _Busy:
    """The works under way: a pool does not know a thread whose start was interrupted."""

    def __init__(self) -> None:
        self._works = 0
        self._changed = Condition()

    def doing(self, work: Callable[[str], None], part: str) -> None:
        """Do the work of a part, counted until it ends."""
        self._count(1)
        try:
            work(part)
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._changed:
            self._works += change
            self._changed.notify_all()

    def wait(self) -> None:
        """Return when no work is under way."""
        with self._changed:
            self._changed.wait_for(lambda: self._works == 0)


def _note(
    part: str, future: "Future[None]", failures: dict[str, Exception], patience: Patience
) -> None:
    try:
        future.result()
    except (*SDK_ERRORS, CorruptResponseError) as error:
        failures[part] = error
        if trouble_of(error) is Trouble.FINAL and not isinstance(error, LoopError):
            patience.stop.set()
