"""The four counters of an account as one value."""

from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Counters:
    """Owed and paid, pending and settled, in minor units."""

    owed_pending: int = 0
    owed_settled: int = 0
    payments_pending: int = 0
    payments_settled: int = 0

    def __add__(self, other: "Counters") -> "Counters":
        return Counters(*(a + b for a, b in zip(self.values(), other.values(), strict=True)))

    def __sub__(self, other: "Counters") -> "Counters":
        return Counters(*(a - b for a, b in zip(self.values(), other.values(), strict=True)))

    def values(self) -> tuple[int, int, int, int]:
        """The counters in the order of `tables.items.COUNTERS`."""
        return (
            self.owed_pending,
            self.owed_settled,
            self.payments_pending,
            self.payments_settled,
        )

    def nonzero(self) -> dict[str, int]:
        """The counters that are not zero, by name."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def due_settled(self) -> int:
        """What the user owes now: settled debits less settled payments."""
        return self.owed_settled - self.payments_settled

    @property
    def due_if_settled(self) -> int:
        """What the user would owe if everything pending settled."""
        return self.due_settled + self.owed_pending - self.payments_pending

    @classmethod
    def of(cls, mapping: "dict[str, int]") -> Self:
        """Counters from a mapping of names; absent ones are zero."""
        return cls(**mapping)
