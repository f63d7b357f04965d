"""Books written plainly: a few lines of JSON a person can check by hand, made into items.

A file's first line is about the whole: `as_of` (a date), `layout`, `parameters`, and for books that
fail `finds`, the findings by check as `user key`. Every other line is one item:

- `{"item": "LEDGER", "user": "a", "n": 1, ...}`: entry number 1 of user a, `hours_ago` before the
  date (480 unless said); its key, id and time follow from these. A settled usage debit unless said.
- `{"item": "PAY", "user": "a", "id": "pi_1", "of": 1, ...}`: a payment of entry number 1, with its
  amount. `"as"` names the attribute that holds the id. Also PM, SUB, BILLING, PROFILE.
- `{"item": "STRIPE_EVENT", "id": "evt_1", ...}`: an item of a service partition.
- `{"item": "BALANCE", "user": "a", ...}`: only where it is not what the entries add up to; it is
  made for every user with entries otherwise. `"absent": true` leaves it out.

- `{"repeat": 100, "line": {...}}`: the line a hundred times; `{i}` in a text is the time it is, 0
  first, `n` and `of` go up by one each time, and `"cycle": {name: [...]}` gives values in turn.

An attribute given as null is left out; `#1` in an expected key is the key of entry number 1.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opskit.ledger.counters import Counters
from opskit.ledger.posting_rules import effect_of
from opskit.sandbox.items import Item, attribute
from opskit.tables.items import COUNTERS, SERVICE_PARTITIONS, USER_PREFIX, Layout

Plain = dict[str, Any]
Found = tuple[str, str, str]
DEFAULT_AS_OF = "2026-06-30"
_ID_ATTRIBUTES = {"PAY": "payment_intent_id", "PM": "payment_method_id", "SUB": "subscription_id"}
_ENTRY = {"type": "debit", "state": "settled", "reason": "usage", "amount_cents": 1_250}


@dataclass(frozen=True, slots=True)
class PlainBooks:
    """Books read from a file, with what an audit of them must find."""

    as_of: datetime
    items: tuple[Item, ...]
    finds: frozenset[Found]
    parameters: Mapping[str, str]


@dataclass(slots=True)
class _Maker:
    """Makes items while it remembers the entries that later lines refer to."""

    as_of: int
    layout: Layout
    keys: dict[tuple[str, int], str] = field(default_factory=dict)
    amounts: dict[tuple[str, int], object] = field(default_factory=dict)
    counters: dict[str, Counters] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)

    def account(self, user: str) -> str:
        """The partition key value of a user, or of a service partition."""
        plain = self.layout is Layout.USER_SUB or user in SERVICE_PARTITIONS or not user
        return user if plain else f"{USER_PREFIX}{user}"

    def item(self, line: Plain) -> Item:
        """The item a line stands for."""
        line = dict(line)
        kind, user = line.pop("item"), line.pop("user", "")
        if kind == "LEDGER":
            return self._entry(user, line)
        made = self._item(kind, user, line)
        if kind == "BALANCE":
            self.stored.add(user)
        return made

    def _entry(self, user: str, line: Plain) -> Item:
        number = line.pop("n")
        ts = self.as_of - int(line.pop("hours_ago", 480) * 3_600)
        entry_id = f"{ts}000_{number:016x}"
        values = {"entry_id": entry_id, "ts": ts, **_ENTRY, **line}
        self.keys[user, number] = sk = f"LEDGER#{ts}#{entry_id}"
        self.amounts[user, number] = amount = values["amount_cents"]
        effect = effect_of(values["type"], values["state"], values["reason"])
        so_far = self.counters.get(user, Counters())
        if effect is not None and isinstance(amount, int):
            so_far += Counters(*(value * amount for value in effect.values()))
        self.counters[user] = so_far
        return self._written(user, values.pop("sk", sk), values)

    def _item(self, kind: str, user: str, line: Plain) -> Item:
        id_, number = line.pop("id", None), line.pop("of", None)
        written = self.as_of - int(line.pop("hours_ago", 480) * 3_600)
        if kind in SERVICE_PARTITIONS:
            return self._written(kind, id_, line)
        values: Plain = {}
        if kind in _ID_ATTRIBUTES:
            values = {line.pop("as", _ID_ATTRIBUTES[kind]): id_, "created_at": written}
        if kind == "PAY":
            values |= {"status": "succeeded", "currency": "usd", "updated_at": written}
        if number is not None:
            values |= {"ledger_sk": self.keys[user, number]}
            values |= {"amount_cents": self.amounts[user, number]}
        if kind == "BALANCE":
            values = self._balance(user)
        return self._written(user, f"{kind}#{id_}" if id_ else kind, {**values, **line})

    def _balance(self, user: str) -> Plain:
        counters = self.counters.get(user, Counters()).values()
        named = zip((f"{counter}_cents" for counter in COUNTERS), counters, strict=True)
        return {"currency": "usd", **dict(named)}

    def _written(self, user: str, sk: str, values: Plain) -> Item:
        keys = {self.layout.value: self.account(user), "sk": sk}
        held = {name: value for name, value in values.items() if value is not None}
        return {name: attribute(value) for name, value in {**keys, **held}.items()}

    def balances(self) -> Iterator[Item]:
        """The BALANCE of every user with entries that no line gave."""
        for user in self.counters.keys() - self.stored:
            yield self._written(user, "BALANCE", self._balance(user))


def read_books(path: Path) -> PlainBooks:
    """The books a file holds."""
    head, *lines = (json.loads(line) for line in path.read_text().splitlines() if line.strip())
    as_of = datetime.fromisoformat(head.get("as_of", DEFAULT_AS_OF)).replace(tzinfo=UTC)
    lines = [line for written in lines for line in _repeated(written)]
    maker = _Maker(int(as_of.timestamp()), Layout(head.get("layout", Layout.PK)))
    items = [maker.item(line) for line in lines if not line.get("absent")]
    maker.stored |= {line["user"] for line in lines if line.get("absent")}
    items += maker.balances()
    finds = frozenset(_found(maker, head.get("finds", {})))
    return PlainBooks(as_of, tuple(items), finds, head.get("parameters", {}))


def _repeated(line: Plain) -> Iterator[Plain]:
    """The lines a written line stands for."""
    if "repeat" not in line:
        yield line
        return
    cycle = line.get("cycle", {})
    for i in range(line["repeat"]):
        made = {
            name: value.replace("{i}", str(i)) if isinstance(value, str) else value
            for name, value in line["line"].items()
        }
        counted = {name: made[name] + i for name in ("n", "of") if name in made}
        yield made | counted | {name: values[i % len(values)] for name, values in cycle.items()}


def _found(maker: _Maker, finds: Mapping[str, list[str]]) -> Iterator[Found]:
    for check, places in finds.items():
        for place in places:
            user, _, key = place.partition(" ")
            if key.startswith("#"):
                key = maker.keys[user, int(key[1:])]
            yield check, maker.account(user), key
