"""Where an export lies: a folder or a prefix in S3, its objects named from the same root on."""

import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from opskit.read.export.faults import ExportFault, faulty


class Stream(Protocol):
    """The bytes of an object, in order."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes more; nothing at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies right in a folder: its files with their sizes, and its folders, by bare name."""

    files: dict[str, int]
    folders: tuple[str, ...]


class Store(Protocol):
    """The objects of one place; a name is relative to its root, the parent of exports' folders."""

    def shown(self, name: str) -> str:
        """The object's full name, for a person."""
        ...

    def listing(self, folder: str) -> Listing:
        """What lies in a folder; nothing when there is none."""
        ...

    def open(self, name: str) -> AbstractContextManager[Stream]:
        """The object's bytes; ExportError when it is not there or cannot be read."""
        ...


class Address(Protocol):
    """A place that another process can reach too."""

    @property
    def bucket(self) -> str:
        """The bucket; empty for a folder, which may be a copy of any."""
        ...

    @property
    def prefix(self) -> str:
        """The prefix that the root has in its bucket, with the slash that ends it."""
        ...

    def connect(self) -> Store:
        """The store there."""
        ...


@dataclass(frozen=True, slots=True)
class FolderAddress:
    """A folder that holds exports' folders."""

    root: Path
    bucket: str = ""
    prefix: str = ""

    def connect(self) -> Store:
        """The store of files there."""
        return FolderStore(self.root)


@dataclass(frozen=True, slots=True)
class FolderStore:
    """Files of a folder; only regular ones are ever opened."""

    root: Path

    def shown(self, name: str) -> str:
        """The file's path."""
        return str(self.root / name)

    def listing(self, folder: str) -> Listing:
        """What lies in a folder; nothing when there is none."""
        try:
            entries = list(os.scandir(self.root / folder))
        except (FileNotFoundError, NotADirectoryError):
            return Listing({}, ())
        except OSError as error:
            raise faulty(
                ExportFault.FILE_UNREADABLE, self.shown(folder), error.strerror or ""
            ) from None
        files = {entry.name: entry.stat().st_size for entry in entries if not entry.is_dir()}
        return Listing(files, tuple(sorted(entry.name for entry in entries if entry.is_dir())))

    @contextmanager
    def open(self, name: str) -> Iterator[Stream]:
        """The file's bytes; ExportError when it is not there or no regular file."""
        path = self.root / name
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise faulty(ExportFault.FILE_UNREADABLE, str(path), "it is not a regular file")
            file = path.open("rb")
        except (FileNotFoundError, NotADirectoryError):
            raise faulty(ExportFault.FILE_MISSING, str(path)) from None
        except OSError as error:
            raise faulty(ExportFault.FILE_UNREADABLE, str(path), error.strerror or "") from None
        with file:
            yield file


def read_object(store: Store, name: str, limit: int) -> bytes:
    """A small object whole; ExportError when it is longer than `limit`."""
    parts: list[bytes] = []
    left = limit + 1
    with store.open(name) as stream:
        while left > 0 and (part := stream.read(min(left, 1 << 20))):
            parts.append(part)
            left -= len(part)
    if left <= 0:
        raise faulty(ExportFault.TOO_LARGE, store.shown(name), f"over {limit:,} bytes")
    return b"".join(parts)
