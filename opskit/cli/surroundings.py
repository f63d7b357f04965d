"""Faults of the machine a verb runs on: a full disk, a folder that may not be written."""

import errno
import os
import sys
import tempfile

from opskit.cli.given import shortened

_OF_PLACES = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EMFILE),
        *(errno.ENFILE, errno.ENAMETOOLONG, errno.ELOOP, errno.EACCES, errno.EPERM),
        *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR),
    }
)
_OF_ENGINE = ("IOException", "OutOfMemoryException")


def fault_of_place(error: Exception) -> str:
    """What of the machine stopped a verb, and what next, in a line; "" for any other error."""
    what = _named(error)
    if not what:
        return ""
    return f"{what}; free space there, or set TMPDIR to a folder with room: now it is {_scratch()}"


def _named(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in _OF_PLACES:
        place = f"{shortened(str(error.filename))}: " if error.filename else ""
        return f"{place}{os.strerror(error.errno).lower()}"
    engine = sys.modules.get("duckdb")
    if engine is not None and isinstance(error, tuple(getattr(engine, n) for n in _OF_ENGINE)):
        return f"the engine ran out of room ({str(error).partition(chr(10))[0][:200]})"
    return ""


def _scratch() -> str:
    """The folder for scratch files; it is the system's where TMPDIR cannot be used."""
    try:
        return shortened(tempfile.gettempdir())
    except OSError:
        return "none that can be written"
