"""A live table as a value: what DynamoDB said of it, in the words of the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from opskit.tables.spec import TableSpec


class Presence(StrEnum):
    """What is known of a table's existence; unknown is never taken for absent."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class TtlStatus(StrEnum):
    """The states of a table's TTL, and the two ways of not being told."""

    ENABLED = "ENABLED"
    ENABLING = "ENABLING"
    DISABLED = "DISABLED"
    DISABLING = "DISABLING"
    UNKNOWN = "unknown"
    UNSUPPORTED = "unsupported"


SETTLING = frozenset({"CREATING", "UPDATING"})
"""The states a table or an index leaves by itself, and is waited for."""


@dataclass(frozen=True, slots=True)
class LiveTable:
    """What one reading said of one table.

    `spec` is None unless the table is present. A TTL that is off leaves `spec.ttl_attribute` None
    even where AWS still names the attribute it last had. `missing` lists the permissions that
    would have answered the rest. `class_name` and `billing_mode` are AWS's to vary.
    """

    name: str
    presence: Presence
    spec: TableSpec | None = None
    status: str = ""
    index_status: Mapping[str, str] = field(default_factory=dict)
    ttl: TtlStatus = TtlStatus.DISABLED
    missing: tuple[str, ...] = ()
    arn: str = ""
    table_id: str = ""
    billing_mode: str = "PROVISIONED"
    class_name: str = "STANDARD"

    @property
    def account(self) -> str:
        """The account in the table's ARN, "" when there is none."""
        parts = self.arn.split(":")
        return parts[4] if len(parts) > 5 else ""

    @property
    def settling(self) -> tuple[str, ...]:
        """What is still being made, the table or its indexes, each with its state."""
        table = (f"table {self.status}",) if self.status in SETTLING else ()
        indexes = (f"index {n} {s}" for n, s in self.index_status.items() if s in SETTLING)
        return (*table, *indexes)

    @property
    def usable(self) -> bool:
        """Whether the table and every index of it are ACTIVE."""
        return {self.status, *self.index_status.values()} == {"ACTIVE"}
