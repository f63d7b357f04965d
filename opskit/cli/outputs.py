"""The files a verb writes: refused before anything is read, then there whole or not at all."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from opskit.cli.given import require_possible
from opskit.cli.options import progress
from opskit.errors import InputError

_DEEP = Path("snapshot", "payment_methods.settled.parquet.partial")
"""As deep as the files of a pack lie, and more."""


def require_writable(files: Mapping[str, Path | None]) -> None:
    """Raise InputError unless each file, by the option that names it, can be written."""
    named: dict[Path, str] = {}
    for option, path in files.items():
        if path is None:
            continue
        if path.is_dir():
            raise InputError(f"{option} {path} is a folder; name a file")
        _require_parent(option, path)
        if not _is_device(path):
            require_possible(option, path, _partial(path.resolve()))
        if path.exists() and not os.access(path, os.W_OK):
            raise InputError(f"{option} {path} may not be written; name another file")
        other = named.setdefault(path.resolve(), option)
        if other != option and not _is_device(path):
            raise InputError(f"{other} and {option} both name {path}; give each its own file")


def _require_parent(option: str, path: Path) -> None:
    folder = path.absolute().parent
    if not folder.is_dir():
        raise InputError(f"{option} {path}: there is no folder {path.parent}; make it first")
    if not _is_device(path) and not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"{option} {path}: nothing can be written in {path.parent}; name another")


def require_new(option: str, folder: Path) -> None:
    """Raise InputError unless a folder that is not there yet can be made."""
    if folder.exists() or folder.is_symlink():
        raise InputError(f"{option} {folder} exists already; name a new folder")
    _require_parent(option, folder)
    require_possible(option, folder, _partial(folder.absolute()) / _DEEP)


def require_folder(option: str, folder: Path) -> None:
    """Raise InputError unless folders can be made in a folder, which may not be there yet."""
    path = folder.absolute()
    found = next(above for above in (path, *path.parents) if above.exists())
    if not found.is_dir():
        raise InputError(f"{option} {folder}: {found} is no folder; name another")
    if not os.access(found, os.W_OK | os.X_OK):
        raise InputError(f"{option} {folder}: nothing can be written in {found}; name another")


def write_text(path: Path, text: str) -> None:
    """Write a page or a document, and say so."""
    _write(path, text.encode())


def write_csv(path: Path, text: str) -> None:
    """Write a table as spreadsheets expect it: UTF-8 with a mark, its line ends as they are."""
    _write(path, text.encode("utf-8-sig"))


def _write(path: Path, content: bytes) -> None:
    try:
        if _is_device(path):
            path.write_bytes(content)
        else:
            _replace(path.resolve(), content)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}; name another") from None
    progress(f"wrote {path}")


def _is_device(path: Path) -> bool:
    """Whether a path is no file that another could take the place of: a pipe, the terminal."""
    return path.absolute().is_relative_to("/dev") or (path.exists() and not path.is_file())


def _partial(path: Path) -> Path:
    """Where something is written before it takes its place."""
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


def _replace(path: Path, content: bytes) -> None:
    """Put a file in its place whole; one that stood there stays until then."""
    partial = _partial(path)
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
