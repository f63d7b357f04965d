"""Work on several parts of a read at once, in threads that are never left behind."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

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
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="opskit-read") as pool:
        futures = {pool.submit(work, part): part for part in parts}
        try:
            pending = set(futures)
            while pending:
                done, pending = wait(pending, _LOOK_EVERY, return_when=FIRST_COMPLETED)
                for future in done:
                    _note(futures[future], future, failures, patience)
        finally:
            # Also reached by Ctrl-C: the pool's own exit then waits for the threads.
            if any(not future.done() for future in futures):
                patience.stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
    return failures


def _note(
    part: str, future: "Future[None]", failures: dict[str, Exception], patience: Patience
) -> None:
    try:
        future.result()
    except (*SDK_ERRORS, CorruptResponseError) as error:
        failures[part] = error
        if trouble_of(error) is Trouble.FINAL and not isinstance(error, LoopError):
            patience.stop.set()
