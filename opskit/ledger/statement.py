"""One account's statement: its entries in order, with running balances, tied to the counters."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from opskit.ledger.counters import Counters


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One ledger entry and the balances after it, in minor units.

    `debit` and `credit` are what the entry moves on either side of the amount due (0 where it
    moves nothing); `running_settled` and `running_pending` are the amounts due after it.
    """

    sk: str
    ts: datetime | None
    entry_id: str
    type: str
    state: str
    reason: str
    processor_ref: str
    debit: int
    credit: int
    running_settled: int
    running_pending: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """One account as the snapshot holds it.

    `stored` is None when the account has no BALANCE item, `computed` is the sum of the posting
    rules; `unjudged` says why `computed` cannot be relied on, "" when it can. The mappings of
    payments, methods, subscriptions and settings are columns of `tables.items`.
    """

    account: str
    currency: str
    source: str
    as_of: datetime
    lines: tuple[StatementLine, ...]
    stored: Counters | None
    computed: Counters
    payments: tuple[Mapping[str, object], ...]
    payment_methods: tuple[Mapping[str, object], ...]
    subscriptions: tuple[Mapping[str, object], ...]
    settings: Mapping[str, object] | None
    unjudged: str = ""

    @property
    def difference(self) -> Counters:
        """Stored less computed, an absent BALANCE being zero as the service reads it."""
        return (self.stored or Counters()) - self.computed
