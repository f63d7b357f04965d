"""The audit: checks as SQL over the books, and what they found as values."""

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from opskit.read.snapshot import Snapshot


def sql(snapshot: "Snapshot", text: str, *, as_of: datetime | None = None) -> "pd.DataFrame":
    """The whole answer of one SELECT over a snapshot's views, as a frame.

    It only reads, as `ledger.sql` says; `as_of` is when views that go by the time judge. InputError
    for anything else, and where the answer has more rows than a frame may.
    """
    from opskit.ledger.books import open_books, set_clock
    from opskit.ledger.sql import query, require_answerable

    require_answerable(text)
    with open_books(snapshot) as books:
        if as_of is not None:
            set_clock(books, int(as_of.timestamp()), settle_window=0)
        return query(books, text)
