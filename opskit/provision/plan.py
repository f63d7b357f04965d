"""The plan: what would be done to which tables of which account, region and endpoint."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opskit.aws import is_loopback
from opskit.errors import EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE, SettingsError
from opskit.provision.changes import Change, Remark, Standing, Step, changes
from opskit.provision.support import ttl_writable
from opskit.tables.describe import describe_table
from opskit.tables.live import LiveTable, TtlStatus
from opskit.tables.spec import TableSpec, violations

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Target:
    """Where a plan applies; `account` is "" when no one said and no table told."""

    account: str
    region: str
    endpoint_url: str

    @property
    def local(self) -> bool:
        """Whether the endpoint is on this machine."""
        return is_loopback(self.endpoint_url)

    @property
    def confirmation(self) -> str:
        """What a person types to let a plan write here."""
        return f"{self.account}/{self.region}"

    def __str__(self) -> str:
        return f"account {self.account or 'unknown'}, region {self.region}, {self.endpoint_url}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done to the wanted tables, and what is to be said of them."""

    target: Target
    wanted: Mapping[str, TableSpec]
    changes: tuple[Change, ...]
    remarks: tuple[Remark, ...]

    def remarks_of(self, standing: Standing) -> tuple[Remark, ...]:
        """The remarks of one standing."""
        return tuple(remark for remark in self.remarks if remark.standing is standing)

    @property
    def conflicts(self) -> tuple[Remark, ...]:
        """Live tables that are not the wanted ones, and are never touched."""
        return self.remarks_of(Standing.CONFLICT)

    @property
    def differences(self) -> tuple[Remark, ...]:
        """What differs and opskit does not change."""
        return self.remarks_of(Standing.DIFFERENCE)

    @property
    def unknown(self) -> tuple[Remark, ...]:
        """What could not be read, each with the permission that is missing."""
        return self.remarks_of(Standing.UNKNOWN)

    @property
    def unsupported(self) -> tuple[Remark, ...]:
        """What the endpoint cannot do."""
        return self.remarks_of(Standing.UNSUPPORTED)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do; `exit_code` says whether all is as wanted."""
        return not self.changes

    @property
    def exit_code(self) -> int:
        """Tell in sync (0) from differing (1); 3 when something could not be read."""
        if self.unknown:
            return EXIT_INCOMPLETE
        differs = self.changes or self.conflicts or self.differences
        return EXIT_FINDINGS if differs else EXIT_CLEAN

    @property
    def id(self) -> str:
        """Twelve hex digits that stay while the same work is left on the same tables.

        Waiting is not counted: a table that becomes ACTIVE meanwhile does not make a plan stale.
        """
        work = [
            [change.logical, change.name, step]
            for change in self.changes
            for step in change.steps
            if step is not Step.WAIT
        ]
        said = [
            [remark.logical, remark.name, remark.standing]
            for remark in self.remarks
            if remark.standing is not Standing.NOTE
        ]
        where = [self.target.account, self.target.region, self.target.endpoint_url]
        specs = [[logical, spec.name, str(spec)] for logical, spec in self.wanted.items()]
        text = json.dumps([where, specs, work, said])
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def plan(
    client: "DynamoDBClient",
    wanted: Mapping[str, TableSpec],
    *,
    account: str = "",
    can_set_ttl: bool | None = None,
) -> Plan:
    """Compare the live tables with the wanted ones; nothing is written.

    Without `account` the ARN of a live table tells it. `can_set_ttl` says whether the endpoint
    can set TTL; None finds out. Costs two reads a table. Raises SettingsError when a wanted
    table breaks a rule of DynamoDB, before anything is asked.
    """
    require_valid(wanted)
    live = {logical: describe_table(client, spec.name) for logical, spec in wanted.items()}
    endpoint = client.meta.endpoint_url
    can_set = _can_set_ttl(endpoint, wanted, live) if can_set_ttl is None else can_set_ttl
    done, said = changes(wanted, live, ttl_writable=can_set)
    known = account or next((table.account for table in live.values() if table.account), "")
    return Plan(Target(known, client.meta.region_name, endpoint), dict(wanted), done, said)


def require_valid(wanted: Mapping[str, TableSpec]) -> None:
    """Raise SettingsError naming every rule of DynamoDB that a wanted table breaks."""
    broken = [
        f"{logical}: {violation.text} (rule {violation.rule})"
        for logical, spec in wanted.items()
        for violation in violations(spec)
    ]
    if broken:
        raise SettingsError(f"{'; '.join(broken)}; `opskit doctor` shows the settings")


def _can_set_ttl(
    endpoint: str, wanted: Mapping[str, TableSpec], live: Mapping[str, LiveTable]
) -> bool:
    """Ask the endpoint only when a live table waits for TTL: the answer matters nowhere else."""
    waiting = any(
        table.spec is not None
        and table.ttl is TtlStatus.DISABLED
        and wanted[logical].ttl_attribute is not None
        for logical, table in live.items()
    )
    return ttl_writable(endpoint) if waiting else True
