"""Live writers: an audit of a table while the simulator goes on writing to it.

`python -m tests.soak.live_writers --accounts 40 --audits 5` starts moto's server, plants accounts
with drift, keeps others writing, and audits with confirmation. It exits 1 when a healthy account
is called faulty or a planted drift is not found.
"""

import argparse
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from opskit.audit.check import load_checks, select_checks
from opskit.audit.confirm import LiveBooks, confirm
from opskit.audit.explain.findings import DRIFT_CHECK
from opskit.audit.report import AuditReport, Finding, Outcome
from opskit.audit.reread import Stillness, account_reader
from opskit.audit.run import audit_snapshot
from opskit.aws import Connection, reading_client
from opskit.ledger.counters import Counters
from opskit.read.scan import ScanOptions, snapshot_table
from opskit.sandbox.simulator import STORMY, History, World, begin, go_on, item_of, simulate
from opskit.tables.items import Layout

TABLE = "live-billing"
FIRST_LIVE = 5_000_000
WINDOW_S = 3
"""An account is still when nothing was written to it for so long; writers pause far less."""


@dataclass(slots=True)
class Writers:
    """Accounts that are written to, one write each in turn, until told to stop."""

    client: Any
    worlds: list[World]
    writes: int = 0
    errors: list[Exception] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def write(self) -> None:
        """Have every world make one write, again and again; the first error ends it."""
        try:
            while not self._stop.is_set():
                for world in self.worlds:
                    self._one_write(world)
        except Exception as error:
            self.errors.append(error)

    def _one_write(self, world: World) -> None:
        if world.idle:
            go_on(world)
        before = world.writes
        world.run(writes=before + 1)
        self.writes += world.writes - before

    def stop(self) -> None:
        """Stop after the turn that is being made."""
        self._stop.set()


@contextmanager
def writing(client: Any, accounts: int) -> Iterator[Writers]:
    """Healthy accounts being written to in a thread of their own."""
    writers = Writers(client, [_live_world(client, world) for world in _worlds(accounts)])
    thread = threading.Thread(target=writers.write, name="live-writers")
    thread.start()
    try:
        yield writers
    finally:
        writers.stop()
        thread.join(timeout=60)


def _worlds(accounts: int) -> Iterator[World]:
    """Healthy worlds of the layout that the table has."""
    number = FIRST_LIVE
    while accounts:
        world = begin(number, int(time.time()), flows=1)
        number += 1
        if world.layout is Layout.PK:
            accounts -= 1
            yield world


def _live_world(client: Any, world: World) -> World:
    """A world whose writes go to the table as they are made, at the time of the wall clock."""
    world.clock = lambda: int(time.time())
    world.on_write = lambda sk: client.put_item(TableName=TABLE, Item=item_of(world, sk))
    return world


def planted(count: int) -> list[History]:
    """Histories with drift, written long ago."""
    found: list[History] = []
    seed = 0
    while len(found) < count:
        history = simulate(seed, faults=STORMY)
        seed += 1
        if history.layout is Layout.PK and history.drift != Counters():
            found.append(history)
    return found


def make_table(client: Any, histories: Sequence[History]) -> None:
    """A billing table that holds these histories."""
    names = (("pk", "HASH"), ("sk", "RANGE"))
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in names],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n, _ in names],
        BillingMode="PAY_PER_REQUEST",
    )
    for history in histories:
        for item in history.items:
            client.put_item(TableName=TABLE, Item=item)


def audit_live(connection: Connection, folder: Path, rounds: int = 4) -> AuditReport:
    """The live table's report, accounts at fault read again until they lie still."""
    client = reading_client(connection)
    checks = select_checks(load_checks(), "balances.*")
    first = snapshot_table(client, TABLE, folder / "first", options=ScanOptions(segments=2))
    live = LiveBooks(first, account_reader(client, TABLE), folder / "again")
    stillness = replace(Stillness(WINDOW_S, time.sleep), rounds=rounds, workers=2)
    now = datetime.now(UTC)
    answer = confirm(
        live,
        checks,
        lambda taken: audit_snapshot(
            taken, as_of=now, checks=checks, parameters={"settle_window": "0"}
        ),
        stillness,
    )
    return answer.report


def false_failures(report: AuditReport, histories: Sequence[History]) -> list[Finding]:
    """What failed of accounts that nothing was done to."""
    faulty = {history.account for history in histories}
    return [
        finding
        for finding in report.findings
        if finding.outcome is Outcome.FAILED and finding.account not in faulty
    ]


def not_found(report: AuditReport, histories: Sequence[History]) -> list[History]:
    """The planted drifts without a failed and explained finding."""
    found = {
        finding.account
        for finding in report.findings
        if finding.check == DRIFT_CHECK
        and finding.outcome is Outcome.FAILED
        and finding.explanation is not None
    }
    return [history for history in histories if history.account not in found]


def main() -> int:
    """Run audits one after another while the writers write, and print a line for each."""
    from tests.engines import running

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accounts", type=int, default=40)
    parser.add_argument("--audits", type=int, default=5)
    options = parser.parse_args()
    histories, status = planted(10), 0
    with running("moto") as engine:
        make_table(engine.client(), histories)
        with writing(engine.client(), options.accounts) as writers:
            for number in range(1, options.audits + 1):
                with TemporaryDirectory(prefix="opskit-live-") as folder:
                    report = audit_live(engine.connection, Path(folder))
                false, lost = false_failures(report, histories), not_found(report, histories)
                print(
                    f"audit {number}: {writers.writes} writes so far, {'; '.join(report.remarks)}"
                )
                print(f"  {len(false)} false failures, {len(lost)} planted drifts not found")
                status |= bool(false or lost or writers.errors)
    return status


if __name__ == "__main__":
    sys.exit(main())
