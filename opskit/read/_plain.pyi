"""The compiled reader of plain items; its sources are in `native/`."""

from typing import TypeAlias

class Plan: ...

ColumnBuffers: TypeAlias = tuple[int, bytes | None, bytes | None, bytes] | None
"""Nulls, validity bits (None without nulls), offsets (of text) and data; None: nulls alone."""

Group: TypeAlias = tuple[int, int, int, list[ColumnBuffers]]
"""Kind, layout, rows, and the columns: account, sk, and those of the kind's plan."""

Rules: TypeAlias = tuple[tuple[bytes, int], ...]
"""Texts, each with the kind it stands for, or -1 for a kind that is not read."""

def make_plan(
    nodes: tuple[tuple[tuple[bytes, int, int], ...], ...],
    kinds: tuple[tuple[tuple[int, int, int], ...], ...],
    slots: int,
    keys: tuple[int, int, int],
    partitions: Rules,
    prefixes: Rules,
    singletons: Rules,
    user_prefix: bytes,
    limit: int,
    /,
) -> Plan:
    """What to look for in items.

    A node's attributes are (name, form, slot or node of the map), the first node's an item's own; a
    kind's columns are (slot, form, required). Forms are 0 text, 1 whole number, 2 flag, 3 map; keys
    are the slots of pk, user_sub and sk.
    """

def read_plain(
    plan: Plan, text: bytes, layout: int, wrapped: bool, /
) -> tuple[list[Group], list[tuple[int, int]]] | None:
    """The plain items as columns, and where in the text each other item begins and ends.

    The text is a JSON array of items, or where `wrapped` lines of `{"Item": {...}}`; None when it
    is not. Layout is 0 for pk, 1 for user_sub, -1 where each item's key tells. Lets other threads
    run meanwhile.
    """
