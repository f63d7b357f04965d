"""The lines of an incremental export: what became of each key that was written in its window."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from opskit.tables.items import Layout

CHANGES = "changes"
"""The files of changes begin with this name; they are no kind of item and do not stay."""

SCHEMA = pa.schema(
    [
        pa.field("layout", pa.string()),
        pa.field("account", pa.string()),
        pa.field("sk", pa.string()),
        pa.field("written", pa.int64()),
        pa.field("deleted", pa.bool_()),
    ]
)


class _Text(msgspec.Struct, forbid_unknown_fields=True):
    S: str


class _Number(msgspec.Struct, forbid_unknown_fields=True):
    N: str


class _Metadata(msgspec.Struct):
    WriteTimestampMicros: _Number


class Keys(msgspec.Struct, forbid_unknown_fields=True):
    """The key of an item of a billing table."""

    sk: _Text
    pk: _Text | None = None
    user_sub: _Text | None = None

    @property
    def place(self) -> tuple[Layout, str] | None:
        """The layout and the partition key value; None when there is not exactly one."""
        if (self.pk is None) == (self.user_sub is None):
            return None
        if self.pk is not None:
            return Layout.PK, self.pk.S
        assert self.user_sub is not None
        return Layout.USER_SUB, self.user_sub.S


class _ImageKeys(msgspec.Struct):
    sk: _Text
    pk: _Text | None = None
    user_sub: _Text | None = None


_NO_IMAGE = msgspec.Raw(b"")
_IMAGE_KEYS = msgspec.json.Decoder(_ImageKeys)


class Change(msgspec.Struct, forbid_unknown_fields=True):
    """One line: the images of an item before and after; without a new one it was deleted."""

    Metadata: _Metadata
    Keys: Keys
    NewImage: msgspec.Raw = _NO_IMAGE
    OldImage: msgspec.Raw = _NO_IMAGE

    @property
    def deleted(self) -> bool:
        """Whether the change left no item."""
        return not bytes(self.NewImage)

    def fault(self) -> str:
        """What is wrong with the change, empty when nothing is."""
        if self.Keys.place is None:
            return "its Keys are not the key of a billing table"
        written = self.Metadata.WriteTimestampMicros.N
        if not (written.isascii() and written.isdigit() and len(written) < 19):
            return "its WriteTimestampMicros is no time"
        for image in (self.NewImage, self.OldImage):
            if bytes(image) and not self._is_of_key(image):
                return "an image has not the key of its Keys"
        return ""

    def _is_of_key(self, image: msgspec.Raw) -> bool:
        try:
            found = _IMAGE_KEYS.decode(image)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        if found.sk != self.Keys.sk:
            return False
        # An item may carry the other layout's attribute as one of its own.
        if self.Keys.pk is not None:
            return found.pk == self.Keys.pk
        return found.user_sub == self.Keys.user_sub


CHANGE = msgspec.json.Decoder(Change)


def change_table(changes: Sequence[Change]) -> pa.Table:
    """Sound changes as rows: whose key, when, and whether the item was deleted."""
    places = [change.Keys.place or (Layout.PK, "") for change in changes]
    return pa.table(
        {
            "layout": [layout.value for layout, _ in places],
            "account": [account for _, account in places],
            "sk": [change.Keys.sk.S for change in changes],
            "written": [int(change.Metadata.WriteTimestampMicros.N) for change in changes],
            "deleted": [change.deleted for change in changes],
        },
        schema=SCHEMA,
    )


class ChangeFile:
    """The Parquet file of the changes that one process read."""

    def __init__(self, folder: Path, part: int) -> None:
        path = folder / f"{CHANGES}.{part}.parquet"
        self._writer = pq.ParquetWriter(path, SCHEMA, compression="zstd")

    def add(self, table: pa.Table) -> None:
        """Write rows."""
        self._writer.write_table(table)

    def close(self) -> None:
        """End the file."""
        self._writer.close()
