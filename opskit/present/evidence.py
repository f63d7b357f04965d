"""A finding's evidence as labelled text: amounts in major units, times in UTC, secrets masked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from opskit.audit.report import Finding
from opskit.present.escape import masked, plain
from opskit.present.words import amount, amount_alone, currency_of, known_currency, utc
from opskit.tables.items import COUNTERS

MAX_DEPTH = 4
MAX_ITEMS = 12
MAX_CHARACTERS = 400
MAX_SENTENCE = 2_000
_EPOCHS = range(100_000_000, 100_000_000_000)
_AMOUNTS = frozenset(
    {*COUNTERS, "amount", "stored", "computed", "drift", "difference"}
    | {"captured", "due_settled", "overdue", "paid_towards_balance", "reinstated"}
    | {"taken_back", "usual_price", "withdrawn"}
)
_SIDES = ("stored", "computed", "drift")


@dataclass(frozen=True, slots=True)
class Fact:
    """One labelled value of the evidence, ready to be escaped; `figure` ones align right."""

    label: str
    value: str
    figure: bool = False


@dataclass(frozen=True, slots=True)
class CounterTable:
    """The counters a finding compares: a row per counter, a column per side it states.

    `unit` is the currency of every figure, or says that they are minor units.
    """

    unit: str
    sides: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def clipped(text: str, limit: int = MAX_CHARACTERS) -> str:
    """One safe line of the text, cut with its full length said when it is very long."""
    if len(text) <= limit:
        return plain(text)
    return f"{plain(text[:limit])}… ({len(text):,} characters, cut here)"


def sentence(text: str) -> str:
    """A condition or an explanation, which may run longer than a value."""
    return clipped(text, MAX_SENTENCE)


def counter_table(finding: Finding) -> CounterTable | None:
    """The counters of the evidence side by side; None when it compares none."""
    sides = {side: _counters(finding.evidence.get(side)) for side in _SIDES}
    stated = tuple(side for side, counters in sides.items() if counters)
    if not sides["drift"]:
        return None
    currency = currency_of(finding)
    rows = tuple(
        (_label(counter), *(_figure(sides[side].get(counter), currency) for side in stated))
        for counter in COUNTERS
        if any(counter in sides[side] for side in stated)
    )
    unit = currency if known_currency(currency) else "minor units"
    return CounterTable(unit, stated, rows)


def facts(finding: Finding) -> tuple[Fact, ...]:
    """Everything else in the evidence, nested names joined by dots."""
    shown = masked("", finding.evidence)
    if not isinstance(shown, Mapping):
        return ()
    tabled = counter_table(finding) is not None
    rest = {
        name: value
        for name, value in shown.items()
        if not (tabled and _is_in_table(str(name), value))
    }
    return tuple(_facts(rest, "", currency_of(finding)))


def value_text(name: str, value: object, currency: str) -> str:
    """A single value as a person reads it; `name` tells amounts and times from other numbers."""
    if value is None:
        return "(absent)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return _number(name, value, currency)
    if isinstance(value, datetime):
        return utc(value)
    return clipped(str(value)) or "(empty)"


def is_amount(name: str) -> bool:
    """Whether a number under this name is money in minor units."""
    return name in _AMOUNTS or name.endswith(("_cents", "_amount"))


def _number(name: str, value: int, currency: str) -> str:
    if is_amount(name):
        return amount(value, currency)
    if (name in {"ts", "ttl"} or name.endswith(("_at", "_ts", "_epoch"))) and value in _EPOCHS:
        return f"{utc(datetime.fromtimestamp(value, UTC))} ({value})"
    return str(value)


def _counters(value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        return {}
    return {name: value[name] for name in COUNTERS if type(value.get(name)) is int}


def _is_in_table(name: str, value: object) -> bool:
    if name == "currency":
        return known_currency(value)
    return name in _SIDES and isinstance(value, Mapping) and len(_counters(value)) == len(value)


def _label(name: str) -> str:
    return clipped(name.removesuffix("_cents").replace("_", " ").strip()) or "(unnamed)"


def _figure(value: int | None, currency: str) -> str:
    return "–" if value is None else amount_alone(value, currency)  # noqa: RUF001


def _facts(values: Mapping[object, object], path: str, currency: str) -> Iterator[Fact]:
    for raw_name, value in values.items():
        name = str(raw_name)
        where = f"{path}.{_label(name)}" if path else _label(name)
        if isinstance(value, Mapping) and value and where.count(".") < MAX_DEPTH:
            yield from _facts(value, where, currency)
        elif isinstance(value, list | tuple):
            yield Fact(where, _listed(name, value, currency))
        else:
            number = isinstance(value, int) and not isinstance(value, bool)
            yield Fact(where, value_text(name, value, currency), number)


def _listed(name: str, values: list[object] | tuple[object, ...], currency: str) -> str:
    texts = [value_text(name, value, currency) for value in values[:MAX_ITEMS]]
    more = len(values) - MAX_ITEMS
    text = ", ".join(texts) + (f" … and {more:,} more" if more > 0 else "")
    return text or "(none)"
