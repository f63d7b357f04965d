"""Keys that were read twice: settled alike, however few copies are compared at once."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from opskit.read.decode import decode_items
from opskit.read.repeats import REASON, kind_files, settle_repeats
from opskit.read.rowgroups import KindFiles
from opskit.tables.items import KindName
from tests.captures import entry


@pytest.mark.parametrize("at_once", [400_000, 7, 1])
def test_copies(at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal copies are kept once, those that differ are all set aside."""
    monkeypatch.setattr("opskit.read.repeats._AT_ONCE", at_once)
    first = [entry("USER#1", number, number) for number in range(40)]
    second = [entry("USER#1", number, number + number % 2) for number in range(30)]
    files = KindFiles(tmp_path)
    for page in (first, second):
        files.add(decode_items(json.dumps(page).encode()))
    files.close()
    assert settle_repeats(tmp_path) == 45
    kept = _rows(tmp_path, KindName.ENTRIES)
    assert sorted(row["amount_cents"] for row in kept) == [*range(0, 30, 2), *range(30, 40)]
    aside = _rows(tmp_path, KindName.UNCLASSIFIED)
    assert len(aside) == 30
    assert all(row["defects"] == [REASON] for row in aside)


def _rows(folder: Path, kind: KindName) -> list[dict[str, Any]]:
    return [row for path in kind_files(folder, kind) for row in pq.read_table(path).to_pylist()]
