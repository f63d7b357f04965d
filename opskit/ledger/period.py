"""A period of time, half-open and in UTC: from its start up to and without its end."""

from dataclasses import dataclass
from datetime import datetime

from opskit.errors import InputError


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` (None: the first entry) up to and without `end` (None: open, until now)."""

    start: datetime | None = None
    end: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the period runs until now, so that what is stored now is its closing."""
        return self.end is None

    @property
    def is_bounded(self) -> bool:
        """Whether anything may lie outside the period."""
        return self.start is not None or self.end is not None

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        """The start and the end in epoch seconds, as entries carry their time."""
        start, end = (None if at is None else int(at.timestamp()) for at in (self.start, self.end))
        return start, end

    def parameters(self) -> dict[str, int | None]:
        """The bounds as parameters of a query."""
        start, end = self.bounds
        return {"period_start": start, "period_end": end}


def period_between(start: datetime | None, end: datetime | None) -> Period:
    """The period [start, end); InputError when nothing can lie in it."""
    if start is not None and end is not None:
        if start == end:
            raise InputError(
                f"the period from {start:%Y-%m-%d} to {end:%Y-%m-%d} is empty; its end"
                " is not part of it, so give a later --to"
            )
        if start > end:
            raise InputError(
                f"--from {start.isoformat()} is after --to {end.isoformat()}; swap the two"
            )
    return Period(start, end)
