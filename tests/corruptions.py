"""Every corruption of a single item, each over a healthy account of its own.

An account is copied under a name and processor ids of its own for each corruption, so one audit
judges thousands of corruptions at once and none of them is mistaken for another's.
"""

import copy
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opskit.sandbox.items import Item
from opskit.sandbox.seed import sample_books
from opskit.tables.items import SERVICE_PARTITIONS, USER_PREFIX

Account = list[Item]
Place = tuple[str, ...]
KEYS = ("pk", "sk")
_REFERENCES = re.compile(r"\b(pi_|ch_|dp_|evt_|ORDER|CAP|SALE|I-|cc|sub)([0-9]{10})\b")
_TEXT = ("removed", "retyped", "altered")
_OPERATIONS = {"S": _TEXT, "0": _TEXT, "N": (*_TEXT, "negated"), "BOOL": _TEXT}
_MET_BY = ("type", "state", "reason", "status", "kind")


@dataclass(frozen=True, slots=True)
class Corruption:
    """What is done to one item: `operation` on the attribute at `path`, `()` for the whole item."""

    kind: str
    traits: str
    path: Place
    operation: str

    @property
    def name(self) -> str:
        """The corruption in a few words."""
        where = f".{'.'.join(self.path)}" if self.path else ""
        return f"{self.kind}{where} {self.operation} ({self.traits})"


def healthy_accounts(as_of: datetime, accounts: int) -> dict[str, Account]:
    """The items of healthy accounts, by user."""
    found: dict[str, Account] = {}
    for held in sample_books(3, as_of, accounts=accounts, faults=False).items["billing"]:
        partition = held["pk"]["S"]
        if partition not in SERVICE_PARTITIONS:
            found.setdefault(str(partition).removeprefix(USER_PREFIX), []).append(held)
    return found


def corrupted_copies(accounts: dict[str, Account]) -> Iterator[tuple[str, Corruption, Account]]:
    """Each corruption once per kind of item it can meet: its mark, itself, and the items."""
    met: set[Corruption] = set()
    for user, account in accounts.items():
        text = json.dumps(account)
        for place, held in enumerate(account):
            for corruption in _corruptions(held):
                if corruption not in met:
                    met.add(corruption)
                    mark = f"x{len(met):05d}"
                    items = json.loads(_renamed(text, user, mark))
                    yield mark, corruption, corrupted(items, place, corruption, mark)


def _renamed(text: str, user: str, mark: str) -> str:
    return _REFERENCES.sub(rf"\1\2{mark}", text.replace(user, f"{user}{mark}"))


def _corruptions(held: Item) -> Iterator[Corruption]:
    kind = str(held["sk"]["S"]).partition("#")[0]
    known = (str(held[name].get("S")) for name in _MET_BY if name in held)
    traits = " ".join(known)
    for operation in ("deleted", "duplicated", "moved"):
        yield Corruption(kind, traits, (), operation)
    for path, tag, value in _leaves(held):
        for operation in _OPERATIONS[tag if value != "0" else "0"]:
            yield Corruption(kind, traits, path, operation)


def _leaves(held: Item, above: Place = ()) -> Iterator[tuple[Place, str, object]]:
    """The attributes that are no map, with their types; keys aside, they make it another item."""
    for name, value in held.items():
        [(tag, inner)] = value.items()
        if tag == "M":
            yield from _leaves(inner, (*above, name))  # type: ignore[arg-type]
        elif (above or name not in KEYS) and tag != "NULL":
            yield (*above, name), tag, inner


def corrupted(items: Account, place: int, corruption: Corruption, mark: str) -> Account:
    """The account with the item at a place corrupted."""
    match corruption.operation:
        case "deleted":
            del items[place]
        case "duplicated":
            items.append(_duplicate(items[place]))
        case "moved":
            items[place]["pk"] = {"S": f"{USER_PREFIX}other{mark}"}
        case _:
            _change(items[place], corruption)
    return items


def _duplicate(held: Item) -> Item:
    """The item again under a key of its own; an entry with an id and a time that agree with it."""
    made = copy.deepcopy(held)
    sk = str(held["sk"]["S"])
    if not sk.startswith("LEDGER#"):
        made["sk"] = {"S": f"{sk}x"}
        return made
    ts = int(str(held["ts"]["N"])) + 1
    entry_id = f"{ts}000_{'d' * 16}"
    return made | {
        "sk": {"S": f"LEDGER#{ts}#{entry_id}"},
        "ts": {"N": str(ts)},
        "entry_id": {"S": entry_id},
    }


def _change(held: Item, corruption: Corruption) -> None:
    node: Any = held
    for name in corruption.path[:-1]:
        node = node[name]["M"]
    name = corruption.path[-1]
    [(tag, value)] = node[name].items()
    if corruption.operation == "removed":
        del node[name]
    elif corruption.operation == "retyped":
        node[name] = {"N": "7"} if tag == "S" else {"S": str(value)}
    elif corruption.operation == "negated":
        node[name] = {tag: not value} if tag == "BOOL" else {"N": str(-int(value))}
    else:
        node[name] = {tag: _other(tag, value)}


def _other(tag: str, value: Any) -> object:
    if tag == "N":
        return str(int(value) + 1_000)
    return not value if tag == "BOOL" else f"{value}-x"


def flattened(copies: Sequence[tuple[str, Corruption, Account]]) -> list[Item]:
    """Every item of every copy."""
    return [held for _, _, account in copies for held in account]
