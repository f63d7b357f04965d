"""DynamoDB JSON: the shape in which sample items are made, loaded and compared."""

from collections.abc import Mapping, Sequence

from opskit.money import decimals
from opskit.tables.items import COUNTERS

Attribute = dict[str, object]
Item = dict[str, Attribute]
"""One item of a table: each attribute under its name as `{"S": ...}`, `{"N": ...}` and so on."""


def attribute(value: object) -> Attribute:
    """The DynamoDB JSON of a plain value; a number is whole or it is a mistake."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case Mapping():
            return {"M": {str(name): attribute(held) for name, held in value.items()}}
        case Sequence():
            return {"L": [attribute(held) for held in value]}
    raise TypeError(f"no DynamoDB type for {type(value).__name__}")


def item(**attributes: object) -> Item:
    """An item from plain values."""
    return {name: attribute(value) for name, value in attributes.items()}


def major_units(amount: int, currency: str) -> str:
    """An amount as processors write it: `159.66`, without grouping."""
    places = decimals(currency)
    whole, rest = divmod(amount, 10**places)
    return f"{whole}.{rest:0{places}d}" if places else str(whole)


COUNTER_ATTRIBUTES = tuple(f"{counter}_cents" for counter in COUNTERS)
"""The counters' attribute names, in the order of `Counters.values`."""
