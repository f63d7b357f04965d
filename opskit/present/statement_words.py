"""The words and figures every rendering of a statement shares."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from opskit.ledger.counters import Counters
from opskit.present.escape import masked
from opskit.present.evidence import clipped, value_text
from opskit.present.words import amount_alone, known_currency, utc

if TYPE_CHECKING:
    from opskit.ledger.period import Period
    from opskit.ledger.statement import Statement, StatementLine

Item = Mapping[str, object]
LEFT_OUT = frozenset({"account", "sk", "pk", "user_sub", "layout", "kind_name"})
ENTRY_HEADINGS = ("time (UTC)", "type", "state", "reason", "debit", "credit")
DUE_HEADINGS = ("due settled", "due pending")
CLOSING_HEADINGS = ("counter", "stored", "computed", "difference")


def agreement(statement: "Statement") -> str:
    """Whether the stored counters agree with the entries, in words."""
    if statement.unjudged:
        return f"The balance could not be judged: {statement.unjudged}"
    if not statement.is_tied:
        return (
            "A closed period, as now restated: entries change state in place, and the stored"
            " counters are of now, so nothing is compared with them"
        )
    if statement.difference != Counters():
        return "The stored counters do not agree with the entries"
    if statement.stored is None:
        return "There is no BALANCE item, and the entries leave nothing to store"
    return "The stored counters agree with the entries"


def agrees(statement: "Statement") -> bool:
    """Whether the statement may be relied on as it stands."""
    return not statement.unjudged and statement.difference == Counters()


def money(minor_units: int, statement: "Statement") -> str:
    """An amount of this statement without its currency, which the header names."""
    return amount_alone(minor_units, statement.currency)


def currency_name(statement: "Statement") -> str:
    """The currency all amounts are in."""
    if known_currency(statement.currency):
        return statement.currency.upper()
    return "unknown (amounts are in minor units)"


def entry_row(line: "StatementLine", statement: "Statement") -> tuple[str, ...]:
    """The cells of one entry under ENTRY_HEADINGS and DUE_HEADINGS; zero moves are blank."""
    moved = (money(side, statement) if side else "" for side in (line.debit, line.credit))
    due = (money(side, statement) for side in (line.running_settled, line.running_pending))
    time = utc(line.ts) if line.ts else "(no time)"
    return (time, line.type, line.state, line.reason, *moved, *due)


def entry_note(line: "StatementLine") -> str:
    """What identifies the entry, and anything odd about it."""
    named = (("", line.entry_id), ("ref ", line.processor_ref), ("note: ", line.note))
    return " · ".join(label + text for label, text in named if text)


def period_text(period: "Period") -> str:
    """A period in words; its end is not part of it."""
    start = f"from {utc(period.start)}" if period.start else "from the first entry"
    return f"{start} to before {utc(period.end)}" if period.end else f"{start}, open-ended"


def opening_row(statement: "Statement") -> tuple[str, ...]:
    """The opening balance under ENTRY_HEADINGS and DUE_HEADINGS."""
    opening = statement.opening
    pending = opening.due_if_settled - opening.due_settled
    due = (money(opening.due_settled, statement), money(pending, statement))
    time = utc(statement.period.start) if statement.period.start else ""
    return (time, "", "", "opening balance", "", "", *due)


def closing_headings(statement: "Statement") -> tuple[str, ...]:
    """The headings of the closing balance; a closed period has nothing stored to compare."""
    return CLOSING_HEADINGS if statement.is_tied else ("counter", "opening", "closing")


def closing_rows(statement: "Statement") -> tuple[tuple[str, ...], ...]:
    """Each counter and both amounts due under `closing_headings`."""
    sides: tuple[Counters | None, ...] = (statement.opening, statement.computed)
    if statement.is_tied:
        sides = (statement.stored, statement.computed, statement.difference)
    named = {name: name.replace("_", " ") for name in asdict(Counters())}
    due = {"due_settled": "due now", "due_if_settled": "due if everything settles"}
    return tuple(
        (label, *("–" if side is None else money(getattr(side, name), statement) for side in sides))  # noqa: RUF001
        for name, label in (named | due).items()
    )


def item_lists(statement: "Statement") -> tuple[tuple[str, Sequence[Item]], ...]:
    """The account's other items by kind, settings last."""
    settings = () if statement.settings is None else (statement.settings,)
    return (
        ("payments", statement.payments),
        ("payment methods", statement.payment_methods),
        ("subscriptions", statement.subscriptions),
        ("settings", settings),
    )


def item_name(item: Item) -> str:
    """The sort key of an item; settings are a single item, with a key of their own."""
    return clipped(str(item.get("sk") or "BILLING"))


def item_facts(item: Item, statement: "Statement") -> tuple[tuple[str, str], ...]:
    """The attributes an item has, as labelled text; secrets masked, absent ones left out."""
    shown = masked("", item)
    assert isinstance(shown, Mapping)
    currency = item.get("currency") or statement.currency
    code = currency if isinstance(currency, str) else ""
    return tuple(
        (str(name).removesuffix("_cents").replace("_", " "), value_text(str(name), value, code))
        for name, value in shown.items()
        if value is not None and name not in LEFT_OUT
    )
