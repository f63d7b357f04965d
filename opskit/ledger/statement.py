"""One account's statement: its entries in order, with running balances, tied to the counters."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from opskit.errors import EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE, InputError
from opskit.ledger.books import Books, Row
from opskit.ledger.counters import Counters
from opskit.ledger.period import Period
from opskit.tables.items import COUNTERS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

PROCESSOR_IDS = (
    "stripe_payment_intent_id",
    "stripe_charge_id",
    "paypal_order_id",
    "paypal_capture_id",
    "ccbill_transaction_id",
    "paypal_subscription_id",
    "ccbill_subscription_id",
)
"""The columns of an entry that may hold a processor's id, the most telling first."""


_EVER = Period()
_NOTHING = Counters()


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
    """One account as the snapshot holds it, over a period.

    `opening` is what the entries before the period add up to, `computed` is the closing: opening
    and the period's lines. Entries change state in place, so both are as restated by now.
    `stored` is None when the account has no BALANCE item; it is of now. `unjudged` says why
    `computed` cannot be relied on, "" when it can. The mappings of payments, methods,
    subscriptions and settings are columns of `tables.items`.
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
    period: Period = _EVER
    opening: Counters = _NOTHING

    @property
    def is_tied(self) -> bool:
        """Whether the closing may be compared with the stored counters, which are of now."""
        return self.period.is_open

    @property
    def difference(self) -> Counters:
        """Stored less computed, an absent BALANCE being zero as the service reads it.

        Nothing where the period is closed: what is stored is of now.
        """
        if not self.is_tied:
            return Counters()
        return (self.stored or Counters()) - self.computed

    @property
    def exit_code(self) -> int:
        """The exit status a shell sees: in step, different, or not to be judged."""
        if self.unjudged:
            return EXIT_INCOMPLETE
        return EXIT_FINDINGS if any(self.difference.values()) else EXIT_CLEAN


def account_statement(
    books: Books, account: str, *, as_of: datetime, period: Period = _EVER
) -> Statement:
    """One account's statement from books; `account` is a user id or the stored partition key.

    InputError when the books hold no such account, or hold it under both key layouts.
    """
    key = _find(books, account)
    postings = books.rows(_OF_ACCOUNT.format(view="postings", order="ts, sk"), key)
    before, within = _split(postings, period)
    opening = sum((_effect(posting) for posting in before), start=Counters())
    lines, computed = _lines(within, opening)
    balances = books.rows(_OF_ACCOUNT.format(view="balances", order="sk"), key)
    settings = books.rows(_OF_ACCOUNT.format(view="settings", order="sk"), key)
    return Statement(
        account=str(key["account"]),
        currency=_currency(balances, settings),
        source=books.manifest.describe(),
        as_of=as_of,
        lines=lines,
        stored=_stored(balances),
        computed=computed,
        payments=_details(books, "payments", key),
        payment_methods=_details(books, "payment_methods", key),
        subscriptions=_details(books, "subscriptions", key),
        settings=_plain(settings[0]) if settings else None,
        unjudged=_unjudged(books, key, _undated(postings, period)),
        period=period,
        opening=opening,
    )


def _split(postings: list[Row], period: Period) -> tuple[list[Row], list[Row]]:
    """The postings before the period and those within it; one without a time is before it."""
    start, end = period.bounds
    before, within = [], []
    for posting in postings:
        ts = None if posting["ts"] is None else int(str(posting["ts"]))
        if start is not None and (ts is None or ts < start):
            before.append(posting)
        elif end is None or ts is None or ts < end:
            within.append(posting)
    return before, within


def _undated(postings: list[Row], period: Period) -> str:
    """Why a bounded period cannot be judged: an entry without a time could be on either side."""
    undated = any(posting["ts"] is None for posting in postings)
    return "an entry's time cannot be read" if undated and period.is_bounded else ""


def _find(books: Books, account: str) -> Row:
    """The key of the account a person named; InputError when it is none, or not one."""
    found = books.rows(
        """
        SELECT layout, account FROM accounts
        WHERE account = $name OR (layout = 'pk' AND account = concat('USER#', $name))
        ORDER BY account = $name DESC""",
        {"name": account},
    )
    if not found:
        message = f"ACCOUNT {account!r} is not in {books.manifest.source.name}; give a user id"
        raise InputError(f"{message} or the partition key as stored")
    if len(found) > 1 and found[0]["account"] != account:
        raise InputError(f"ACCOUNT {account!r} is in both key layouts; give the stored key")
    return found[0]


_OF_ACCOUNT = "SELECT * FROM {view} WHERE layout = $layout AND account = $account ORDER BY {order}"


def _lines(postings: list[Row], total: Counters) -> tuple[tuple[StatementLine, ...], Counters]:
    """The entries in order of time, each with the balances after it, and the closing."""
    lines = []
    for posting in postings:
        effect = _effect(posting)
        total = total + effect
        lines.append(_line(posting, effect.due_if_settled, total))
    return tuple(lines), total


def _effect(posting: Row) -> Counters:
    """What an entry does to the counters; nothing where that is not known."""
    return Counters(*(int(str(posting[name] or 0)) for name in COUNTERS))


def _line(posting: Row, due: int, total: Counters) -> StatementLine:
    ts = posting["ts"]
    return StatementLine(
        sk=str(posting["sk"]),
        ts=None if ts is None else EPOCH + timedelta(seconds=int(str(ts))),
        entry_id=str(posting["entry_id"] or ""),
        type=str(posting["type"] or ""),
        state=str(posting["state"] or ""),
        reason=str(posting["reason"] or ""),
        processor_ref=_processor_ref(posting),
        debit=max(due, 0),
        credit=max(-due, 0),
        running_settled=total.due_settled,
        running_pending=total.due_if_settled - total.due_settled,
        note=_note(posting),
    )


def _processor_ref(posting: Row) -> str:
    """The most telling processor id an entry carries."""
    return str(next((posting[name] for name in PROCESSOR_IDS if posting[name]), ""))


def _note(posting: Row) -> str:
    """Why an entry moved nothing, where a reader would expect it to."""
    if posting["rule"] is None:
        return "no posting rule; not counted"
    if posting["owed_pending"] is None:
        return "amount cannot be read; not counted"
    return (
        f"reversed; {posting['amount_cents']} minor units" if posting["state"] == "reversed" else ""
    )


def _stored(balances: list[Row]) -> Counters | None:
    """The stored counters; None without a BALANCE item; an unreadable counter counts as zero."""
    if not balances:
        return None
    return Counters(*(int(str(balances[0][f"{name}_cents"] or 0)) for name in COUNTERS))


def _currency(balances: list[Row], settings: list[Row]) -> str:
    """The account's currency in upper case, from its BALANCE, else its settings; "" if in none."""
    found = (row["currency"] for row in (*balances, *settings))
    return str(next((value for value in found if value), "")).upper()


def _details(books: Books, kind: str, key: Row) -> tuple[Row, ...]:
    rows = books.rows(_OF_ACCOUNT.format(view=kind, order="created_at, sk"), key)
    return tuple(_plain(row) for row in rows)


def _plain(row: Row) -> Row:
    """A row without its key, its whole item and what is empty."""
    hidden = ("layout", "account", "item", "defects")
    return {name: value for name, value in row.items() if name not in hidden and value is not None}


def _unjudged(books: Books, key: Row, undated: str) -> str:
    rows = books.rows(_OF_ACCOUNT.format(view="unjudged_accounts", order="reason"), key)
    return "; ".join([str(row["reason"]) for row in rows] + [undated] * bool(undated))
