"""What is absent from an item is absent from its snapshot, whatever an engine makes of the file."""

from pathlib import Path

import duckdb
import pytest

from opskit.read.capture import read_captures
from opskit.tables.items import KindName
from tests.captures import entry, payment, write_capture

LINKED = payment("USER#a", 1, 500, "LEDGER#1770000001#1770000001000_0000000000000001")
UNLINKED = {k: v for k, v in payment("USER#a", 2, 500, "").items() if k != "ledger_sk"}


@pytest.mark.parametrize("copies", [1, 500])
def test_a_column_of_one_value_and_nulls_is_read_as_written(tmp_path: Path, copies: int) -> None:
    """IS NULL finds the items without the attribute, not those that all share one value."""
    more = ({**LINKED, "sk": {"S": f"PAY#pi_{number}"}} for number in range(3, 2 + copies))
    items = [entry("USER#a", 1, 500), LINKED, UNLINKED, *more]
    snapshot = read_captures([write_capture(tmp_path / "i.jsonl", items)], tmp_path / "snapshot")
    names = [str(path) for path in snapshot.files(KindName.PAYMENTS)]
    with duckdb.connect() as db:
        query = "SELECT sk FROM read_parquet(?) WHERE ledger_sk IS NULL"
        assert db.execute(query, [names]).fetchall() == [("PAY#pi_2",)]
        query = "SELECT sk FROM read_parquet(?) WHERE ledger_sk IS DISTINCT FROM ?"
        value = LINKED["ledger_sk"]["S"]
        assert db.execute(query, [names, value]).fetchall() == [("PAY#pi_2",)]
