"""The one way a person spells an instant: a date, or a date and time, in UTC unless it says so."""

import re
from datetime import UTC, datetime

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?", re.ASCII)


def utc_instant(text: str) -> datetime | None:
    """The instant a date in ISO 8601 with hyphens spells; None for anything else.

    A number of seconds or milliseconds is refused: some would read as a date of another century.
    """
    if not _DATE.fullmatch(text):
        return None
    try:
        value = datetime.fromisoformat(text)
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
