"""The lines of a data file: inflated as they come, bounded, and whole to the last checksum."""

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from opskit.errors import ExportError
from opskit.read.export.faults import ExportFault, faulty
from opskit.read.export.store import Stream
from opskit.read.export.summary import DataFile

MAX_LINE = 16 * 1024 * 1024
"""An item has at most 400 KB, an attribute of one byte takes up to 15 in JSON, and a line of an
increment holds two images and the key."""

_READ = 256 * 1024
_BLOCK = 1024 * 1024
_GZIP = 31  # zlib's number for gzip with a window of any size


@dataclass(slots=True)
class Lines:
    """A data file's lines, in blocks; `name` is how errors call the file."""

    stream: Stream
    file: DataFile
    name: str
    _digest: Any = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))
    _bytes: int = 0

    def blocks(self) -> Iterator[bytes]:
        """Whole lines, about a megabyte at a time, each block ending with the end of a line.

        After the last, the compressed bytes are known to match their MD5 and the gzip its CRC.
        """
        rest = b""
        for part in self._inflated():
            end = part.rfind(b"\n") + 1
            if end:
                yield rest + part[:end]
                rest = part[end:]
            else:
                rest += part
            if len(rest) > MAX_LINE:
                raise faulty(ExportFault.INFLATED, self.name, f"a line over {MAX_LINE:,} bytes")
        if rest:
            yield rest + b"\n"
        self.require_checksum()

    def require_checksum(self) -> None:
        """Raise ExportError unless the file's compressed bytes, read to their end, match."""
        while self._read():
            pass
        if self._digest.digest() != self.file.md5:
            raise faulty(ExportFault.FILE_ALTERED, self.name)

    def _read(self) -> bytes:
        part = self.stream.read(_READ)
        self._digest.update(part)
        self._bytes += len(part)
        return part

    def _inflated(self) -> Iterator[bytes]:
        """The inflated bytes, never more than a block at once; all members of the gzip file."""
        inflater = zlib.decompressobj(_GZIP)
        total = 0
        try:
            while data := self._read():
                while data:
                    if inflater.eof:
                        inflater = self._next_member(data)
                    part = inflater.decompress(data, _BLOCK)
                    data = inflater.unconsumed_tail or inflater.unused_data
                    total += len(part)
                    self._require_bounded(total)
                    if part:
                        yield part
        except zlib.error as error:
            raise faulty(ExportFault.GZIP_DAMAGED, self.name, str(error)) from None
        if self._bytes and not inflater.eof:
            raise faulty(ExportFault.GZIP_CUT, self.name)

    def _next_member(self, data: bytes) -> Any:
        if data[:1] != b"\x1f":
            raise faulty(ExportFault.GZIP_FOLLOWED, self.name)
        return zlib.decompressobj(_GZIP)

    def _require_bounded(self, total: int) -> None:
        """Raise ExportError when there is more than the file's items can be."""
        if total > self.file.items * MAX_LINE:
            detail = f"over {self.file.items * MAX_LINE:,} bytes for {self.file.items:,} items"
            raise faulty(ExportFault.INFLATED, self.name, detail)


def whole_cause(lines: Lines, error: ExportError) -> ExportError:
    """The root of a fault in a file's content: that the file was altered, where it was."""
    try:
        lines.require_checksum()
    except ExportError as altered:
        return altered
    return error
