"""The proof of population: that what was judged is everything that was read."""

from dataclasses import dataclass

from opskit.ledger.books import Books
from opskit.tables.items import KindName


@dataclass(frozen=True, slots=True)
class KindCount:
    """One kind of item: how many the manifest says, how many the books hold, and their ends.

    A key is the partition key value and the sort key as stored; "" where there is no item.
    """

    kind: str
    recorded: int
    held: int
    first: tuple[str, str]
    last: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """One segment of a scan or one file of a capture, and whether it was read to its end."""

    name: str
    pages: int
    items: int
    done: bool


@dataclass(frozen=True, slots=True)
class Population:
    """What was read, how, and that none of it is left out."""

    source: str
    verdict: str
    consistency: str
    started: str
    ended: str
    items: int
    repeated: int
    kinds: tuple[KindCount, ...]
    parts: tuple[Part, ...]
    files: tuple[tuple[str, int, str], ...]

    @property
    def is_proved(self) -> bool:
        """Whether parts, files and kinds all add up to the same number of items."""
        read = sum(part.items for part in self.parts) - self.repeated
        in_files = sum(rows for _, rows, _ in self.files)
        held = sum(kind.held for kind in self.kinds)
        whole = all(part.done for part in self.parts)
        return whole and read == in_files == held == self.items


def population(books: Books) -> Population:
    """The proof of population of some books."""
    manifest = books.manifest
    parts = sorted(manifest.segments.items())
    return Population(
        source=manifest.describe(),
        verdict=manifest.verdict.value,
        consistency=manifest.source.consistency,
        started=manifest.started,
        ended=manifest.ended,
        items=manifest.items,
        repeated=manifest.repeated,
        kinds=_kinds(books),
        parts=tuple(Part(name, one.pages, one.items, one.done) for name, one in parts),
        files=tuple(
            (name, file.rows, file.sha256) for name, file in sorted(manifest.files.items())
        ),
    )


def _kinds(books: Books) -> tuple[KindCount, ...]:
    rows = {str(row["kind"]): row for row in books.rows(_COUNTS)}
    recorded = dict.fromkeys(KindName, 0)
    for file in books.manifest.files.values():
        recorded[KindName(file.kind)] += file.rows
    return tuple(
        KindCount(
            kind=kind.value,
            recorded=recorded[kind],
            held=int(str(rows[kind]["held"])) if kind in rows else 0,
            first=_key(rows[kind]["first"]) if kind in rows else ("", ""),
            last=_key(rows[kind]["last"]) if kind in rows else ("", ""),
        )
        for kind in KindName
    )


def _key(value: object) -> tuple[str, str]:
    assert isinstance(value, dict)
    return str(value["account"] or ""), str(value["sk"] or "")


_COUNTS = """
    SELECT kind, count(*) AS held,
        min({account: account, sk: sk}) AS first, max({account: account, sk: sk}) AS last
    FROM items GROUP BY kind ORDER BY kind"""
