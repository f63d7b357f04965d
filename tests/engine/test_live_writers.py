"""An audit of a live table while the simulator goes on writing to it."""

from pathlib import Path

import pytest
from engines import Engine
from soak.live_writers import (
    audit_live,
    false_failures,
    make_table,
    not_found,
    planted,
    writing,
)


@pytest.mark.engine
def test_live_writers_cause_no_false_failure_and_hide_no_fault(
    empty_moto: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing healthy fails while it is written to, and every drift planted before is found."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    histories = planted(6)
    make_table(empty_moto.client(), histories)
    with writing(empty_moto.client(), accounts=8) as writers:
        report = audit_live(empty_moto.connection, tmp_path, rounds=3)
    assert writers.errors == []
    assert writers.writes > 50
    assert false_failures(report, histories) == []
    assert not_found(report, histories) == []
