"""Batches of every kind on their way to disk, in row groups large enough to read fast."""

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from opskit.read.schema import SCHEMAS, Batches
from opskit.tables.items import KindName

ROWS = 32_768
BYTES = 24 * 1024 * 1024
"""A row group is written at so many rows or bytes: what is kept in memory of each kind."""


FEW_VALUES = frozenset(
    {"layout", "type", "state", "reason", "mode", "currency", "status", "kind", "method_type"}
)
"""Columns that repeat few values; trying a dictionary for any other only costs time."""


def kind_writer(path: Path, kind: KindName) -> pq.ParquetWriter:
    """A Parquet file for the items of a kind.

    Without statistics: of a text column without a dictionary whose values are all one, DuckDB 2.0
    answers IS NULL with every row when the statistics say so.
    """
    schema = SCHEMAS[kind]
    dictionaries = [name for name in schema.names if name in FEW_VALUES]
    return pq.ParquetWriter(
        path, schema, compression="zstd", use_dictionary=dictionaries, write_statistics=False
    )


@dataclass
class _Held:
    """The batches of one kind that wait for their row group, counted as they come."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    rows: int = 0
    size: int = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Hold one more."""
        self.batches.append(batch)
        self.rows += batch.num_rows
        self.size += batch.nbytes


class KindFiles:
    """One Parquet file per kind, made when the kind is first met; not for several threads at once.

    `part` tells the files of a continued snapshot apart: `entries.parquet`, `entries.1.parquet`.
    """

    def __init__(self, folder: Path, part: int = 0) -> None:
        self._folder = folder
        self._suffix = f".{part}.parquet" if part else ".parquet"
        self._writers: dict[KindName, pq.ParquetWriter] = {}
        self._held: dict[KindName, _Held] = {}

    def add(self, batches: Batches) -> int:
        """Take one page's batches, writing what has become a row group; the number of items."""
        for kind, batch in batches.items():
            held = self._held.setdefault(kind, _Held())
            held.add(batch)
            if held.rows >= ROWS or held.size >= BYTES:
                self._flush(kind)
        return sum(batch.num_rows for batch in batches.values())

    def _flush(self, kind: KindName) -> None:
        table = pa.Table.from_batches(self._held.pop(kind).batches, SCHEMAS[kind])
        if kind not in self._writers:
            path = self._folder / f"{kind}{self._suffix}"
            self._writers[kind] = kind_writer(path, kind)
        self._writers[kind].write_table(table, row_group_size=table.num_rows)

    def close(self) -> None:
        """Write what is held and close the files; nothing more can be added."""
        for kind in list(self._held):
            self._flush(kind)
        self.discard()

    def discard(self) -> None:
        """Close the files without what is held."""
        self._held.clear()
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()
