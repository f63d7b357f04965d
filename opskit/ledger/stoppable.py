"""DuckDB's work where a signal can stop it.

The engine looks for a signal only between its tasks, and one task may go on for minutes. So the
main thread, which alone is told of signals, waits while another does the work.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import duckdb

T = TypeVar("T")

_AGAIN = 0.05
"""How often, in seconds, a query is told to end: one that has not begun yet forgets it."""


def stoppable(db: duckdb.DuckDBPyConnection, work: Callable[[], T]) -> T:
    """What `work` on the connection gives; an interrupt ends its query, and then passes on."""
    if threading.current_thread() is not threading.main_thread():
        return work()
    with ThreadPoolExecutor(1, thread_name_prefix="opskit-sql") as pool:
        future = pool.submit(work)
        try:
            return future.result()
        except KeyboardInterrupt:
            while not future.done():
                db.interrupt()
                wait((future,), _AGAIN)
            raise
