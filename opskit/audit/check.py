"""A check: one SQL file that returns a row per finding, and nothing when the books are right."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import takewhile
from pathlib import Path

from opskit.audit.parameters import Parameter, parse_parameter
from opskit.audit.report import Severity
from opskit.errors import CheckDefinitionError

_HEADER = re.compile(r"-- ([a-z]+): (.*)")
_ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_REQUIRED = ("id", "severity", "title", "criterion", "remedy", "population")
_OPTIONAL = ("unjudged", "catalogue", "empty", "scope")
_ITEM_SCOPE = "item"
HISTORY = "history.unchanged"
"""The one check that is no SQL file; see `audit.history`."""

_PARAMETERS = "parameters"


@dataclass(frozen=True, slots=True)
class Check:
    """One check as its file defines it.

    `query` returns `account`, `key` and `condition`, maybe `outcome` (`failed`, `inconclusive` or
    `noted`), and any further columns as evidence: a dot in a name nests, NULL is left out.
    `population` counts what was examined, and `empty` says why that may be nothing; `unjudged`
    names accounts that could not be. `scope` is `item` where each item is judged by itself, so
    that writes under way excuse nothing. `catalogue` holds the ids auditors know the rule by,
    `source` the file's text.
    """

    id: str
    severity: Severity
    title: str
    criterion: str
    remedy: str
    population: str
    query: str
    unjudged: str = ""
    catalogue: str = ""
    empty: str = ""
    scope: str = ""
    parameters: tuple[Parameter, ...] = ()
    source: str = ""

    @property
    def statements(self) -> tuple[str, ...]:
        """Every SQL text of the check."""
        return tuple(filter(None, (self.population, self.query, self.unjudged)))

    @property
    def judges_single_items(self) -> bool:
        """Whether each item is judged by itself, which is written whole or not at all."""
        return self.scope == _ITEM_SCOPE


def parse_check(text: str, origin: str) -> Check:
    """The check a file's text defines; CheckDefinitionError names the origin and the fault."""
    lines = _header_lines(text)
    header = {name: value for name, value in lines if name != _PARAMETERS}
    _validate_header(header, origin)
    body = "\n".join(text.splitlines()[len(lines) :]).strip()
    if not body:
        raise CheckDefinitionError(f"{origin}: no SELECT follows the header")
    severity = Severity(header.pop("severity"))
    parameters = tuple(parse_parameter(v, origin) for name, v in lines if name == _PARAMETERS)
    source = text.strip()
    return Check(severity=severity, query=body, parameters=parameters, source=source, **header)


def _header_lines(text: str) -> list[tuple[str, str]]:
    """The names and values of the header's lines, as they stand."""
    matches = map(_HEADER.fullmatch, text.splitlines())
    return [(match[1], match[2].strip()) for match in takewhile(bool, matches) if match]


def _validate_header(header: dict[str, str], origin: str) -> None:
    missing = [name for name in _REQUIRED if not header.get(name)]
    if missing:
        message = f"{origin}: the header lacks {', '.join(missing)}; see any built-in check"
        raise CheckDefinitionError(message)
    unknown = sorted(set(header) - {*_REQUIRED, *_OPTIONAL})
    if unknown:
        raise CheckDefinitionError(f"{origin}: the header has unknown {', '.join(unknown)}")
    if not _ID.fullmatch(header["id"]):
        message = f"{origin}: id {header['id']!r} is not group.name in lower case"
        raise CheckDefinitionError(message)
    if header.get("scope", _ITEM_SCOPE) != _ITEM_SCOPE:
        raise CheckDefinitionError(f"{origin}: scope is {header['scope']!r}, and can only be item")
    if header["severity"] not in set(Severity):
        known = ", ".join(Severity)
        message = f"{origin}: severity {header['severity']!r} is none of {known}"
        raise CheckDefinitionError(message)


def _sql_files(folder: Traversable) -> Iterable[Traversable]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _sql_files(entry)
        elif entry.name.endswith(".sql"):
            yield entry


@cache
def builtin_statements() -> frozenset[str]:
    """Every SQL text of the built-in checks."""
    return frozenset(sql for check in load_checks() for sql in check.statements)


def load_checks(checks_dir: Path | None = None) -> tuple[Check, ...]:
    """The built-in checks, and those of a team's own folder, in the order of their ids."""
    sources = list(_sql_files(files("opskit.audit").joinpath("checks")))
    if checks_dir is not None:
        if not checks_dir.is_dir():
            message = f"--checks-dir {checks_dir} is not a folder; name one with .sql files"
            raise CheckDefinitionError(message)
        sources += _sql_files(checks_dir)
    checks: dict[str, Check] = {}
    for source in sources:
        check = parse_check(source.read_text("utf-8"), str(source))
        if check.id in checks or check.id == HISTORY:
            raise CheckDefinitionError(f"{source}: another check has the id {check.id} already")
        checks[check.id] = check
    return tuple(checks[name] for name in sorted(checks))


def select_checks(
    checks: Iterable[Check], pattern: str | None, *, beside: Collection[str] = ()
) -> tuple[Check, ...]:
    """The checks whose id matches a glob (`balances.*`); CheckDefinitionError when none does.

    `beside` are ids of checks that are no SQL file: where only such a one matches, none is chosen.
    """
    every = tuple(checks)
    chosen = tuple(c for c in every if pattern is None or fnmatchcase(c.id, pattern))
    if not chosen and not any(fnmatchcase(id_, pattern or "*") for id_ in beside):
        known = ", ".join(sorted({*(check.id for check in every), *beside}))
        raise CheckDefinitionError(f"--check {pattern!r} matches no check; there are: {known}")
    return chosen
