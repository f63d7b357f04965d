"""The views that ad-hoc SQL may read, and what each of their columns means."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class ViewWords:
    """What a view holds, and its columns' words by name."""

    name: str
    about: str
    own: dict[str, str]
    shared: dict[str, str]

    def column(self, name: str) -> str:
        """What a column means; KeyError where nobody said."""
        return self.own[name] if name in self.own else self.shared[name]


@cache
def documented_views() -> tuple[ViewWords, ...]:
    """The words of `columns.toml`, in its order."""
    text = files("opskit.ledger").joinpath("columns.toml").read_text("utf-8")
    document: dict[str, Any] = tomllib.loads(text)
    shared = document["columns"]
    return tuple(
        ViewWords(name, words["about"], words.get("columns", {}), shared)
        for name, words in document["views"].items()
    )


def view_names() -> frozenset[str]:
    """The names of the documented views."""
    return frozenset(view.name for view in documented_views())
