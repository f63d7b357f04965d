"""Row groups are written when enough rows or bytes are held, each batch measured once."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from opskit.read import rowgroups
from opskit.read.decode import decode_items
from opskit.read.rowgroups import KindFiles
from opskit.read.schema import Batches
from opskit.tables.items import KindName
from tests.captures import entry


def page() -> Batches:
    """A page of two entries."""
    items = [entry("USER#a", number, 5) for number in range(2)]
    return decode_items(json.dumps(items).encode())


@pytest.mark.parametrize(
    ("limit", "pages"), [("ROWS", 3), ("BYTES", 3)], ids=["by rows", "by bytes"]
)
def test_held_batches_become_a_row_group(
    limit: str, pages: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every third page fills a row group; the rest is written at the end, nothing is lost."""
    one = page()[KindName.ENTRIES]
    size = one.num_rows if limit == "ROWS" else one.nbytes
    monkeypatch.setattr(rowgroups, limit, pages * size)
    files = KindFiles(tmp_path)
    assert [files.add(page()) for _ in range(7)] == [2] * 7
    files.close()
    written = pq.read_metadata(tmp_path / "entries.parquet")
    groups = [written.row_group(number).num_rows for number in range(written.num_row_groups)]
    assert groups == [6, 6, 2]
