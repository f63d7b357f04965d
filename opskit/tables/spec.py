"""What a table is: one frozen type for the table wanted and the table found live."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class AttributeType(StrEnum):
    """The types a key attribute can have."""

    TEXT = "S"
    NUMBER = "N"
    BINARY = "B"


class Projection(StrEnum):
    """Which attributes an index carries."""

    ALL = "ALL"
    KEYS_ONLY = "KEYS_ONLY"
    INCLUDE = "INCLUDE"


@dataclass(frozen=True, slots=True)
class Key:
    """A primary key or an index key, by attribute name.

    `further` names the attributes after the first of each role: live index keys may have up to
    four of each, which opskit reads but never makes.
    """

    partition: str
    sort: str | None = None
    partition_type: AttributeType = AttributeType.TEXT
    sort_type: AttributeType = AttributeType.TEXT
    further: tuple[str, ...] = ()

    @property
    def attributes(self) -> tuple[tuple[str, AttributeType], ...]:
        """Each named attribute with its type, the partition key first."""
        own = (self.partition, self.partition_type)
        return (own,) if self.sort is None else (own, (self.sort, self.sort_type))

    def __str__(self) -> str:
        named = [f"{name} ({type_})" for name, type_ in self.attributes]
        return " + ".join([*named, *self.further])


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index; a local one shares the table's partition key."""

    name: str
    key: Key
    projection: Projection = Projection.ALL
    included: frozenset[str] = frozenset()
    local: bool = False

    def __str__(self) -> str:
        extra = f" {', '.join(sorted(self.included))}" if self.included else ""
        return f"{self.key}, projecting {self.projection}{extra}"


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table's identity and shape: what a service's code depends on, and nothing AWS chooses.

    `ttl_attribute` is the attribute that says when an item expires, None when nothing does.
    """

    name: str
    key: Key
    indexes: tuple[Index, ...] = ()
    ttl_attribute: str | None = None

    def __str__(self) -> str:
        indexes = "".join(f"; index {index.name} on {index}" for index in self.indexes)
        return f"key {self.key}{indexes}; TTL {self.ttl_attribute or 'off'}"

    def index(self, name: str) -> Index | None:
        """The index of that name, if the table has one."""
        return next((index for index in self.indexes if index.name == name), None)


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule of DynamoDB that a spec breaks, and what breaks it."""

    rule: str
    text: str


_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}", re.ASCII)
_MAX_GLOBAL, _MAX_LOCAL, _MAX_INCLUDED, _MAX_INCLUDED_IN_ALL = 20, 5, 20, 100


def violations(spec: TableSpec) -> tuple[Violation, ...]:
    """Every rule the spec breaks; empty when DynamoDB would accept it.

    The rules are those AWS documents, not those an emulator happens to enforce.
    """
    return (
        *_name_violations(spec),
        *_key_violations(spec),
        *_index_count_violations(spec),
        *(fault for index in spec.indexes for fault in _index_violations(spec, index)),
        *_ttl_violations(spec),
    )


def _name_violations(spec: TableSpec) -> Iterator[Violation]:
    names = [("table-name", spec.name), *(("index-name", index.name) for index in spec.indexes)]
    for rule, name in names:
        if not _NAME.fullmatch(name):
            yield Violation(rule, f"{name!r} is not 3 to 255 of A-Z a-z 0-9 _ . -")


def _keys(spec: TableSpec) -> list[tuple[str, Key]]:
    return [("the table", spec.key), *((f"index {i.name}", i.key) for i in spec.indexes)]


def _key_violations(spec: TableSpec) -> Iterator[Violation]:
    types: dict[str, AttributeType] = {}
    for owner, key in _keys(spec):
        if key.partition == key.sort:
            yield Violation("key-distinct", f"{owner} uses {key.partition!r} for both keys")
        for name, type_ in key.attributes:
            if not 1 <= len(name.encode()) <= 255:
                yield Violation("attribute-name", f"{owner} has a key name that is not 1-255 bytes")
            if types.setdefault(name, type_) is not type_:
                yield Violation("attribute-type", f"{name!r} is both {types[name]} and {type_}")


def _index_count_violations(spec: TableSpec) -> Iterator[Violation]:
    repeated = [name for name, n in Counter(i.name for i in spec.indexes).items() if n > 1]
    if repeated:
        yield Violation("index-repeated", f"more than one index is called {', '.join(repeated)}")
    local = sum(index.local for index in spec.indexes)
    if len(spec.indexes) - local > _MAX_GLOBAL:
        yield Violation("index-count", f"more than {_MAX_GLOBAL} global indexes")
    if local > _MAX_LOCAL:
        yield Violation("index-count", f"more than {_MAX_LOCAL} local indexes")
    if sum(len(index.included) for index in spec.indexes) > _MAX_INCLUDED_IN_ALL:
        text = f"the indexes include more than {_MAX_INCLUDED_IN_ALL} attributes together"
        yield Violation("index-included", text)


def _index_violations(spec: TableSpec, index: Index) -> Iterator[Violation]:
    includes = index.projection is Projection.INCLUDE
    if includes != bool(index.included) or len(index.included) > _MAX_INCLUDED:
        text = f"index {index.name}: INCLUDE names 1 to {_MAX_INCLUDED} attributes, others none"
        yield Violation("index-included", text)
    if index.local and (spec.key.sort is None or index.key.partition != spec.key.partition):
        text = f"index {index.name}: a local index needs a table with a sort key, and its partition"
        yield Violation("index-local", text)


def _ttl_violations(spec: TableSpec) -> Iterator[Violation]:
    attribute = spec.ttl_attribute
    if attribute is None:
        return
    if not 1 <= len(attribute.encode()) <= 255:
        yield Violation("ttl-name", "the TTL attribute's name is not 1-255 bytes")
    if attribute in {spec.key.partition, spec.key.sort}:
        yield Violation("ttl-key", f"{attribute!r} is a key of the table and cannot be its TTL")
    types = {name: type_ for _, key in _keys(spec) for name, type_ in key.attributes}
    if types.get(attribute, AttributeType.NUMBER) is not AttributeType.NUMBER:
        yield Violation("ttl-number", f"{attribute!r} is a key that is not a Number")
