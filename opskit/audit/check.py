"""A check: one SQL file that returns a row per finding, and nothing when the books are right."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from opskit.audit.report import Severity
from opskit.errors import CheckDefinitionError

_HEADER = re.compile(r"-- ([a-z]+): (.*)")
_ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_REQUIRED = ("id", "severity", "title", "criterion", "remedy", "population")
_OPTIONAL = ("unjudged",)


@dataclass(frozen=True, slots=True)
class Check:
    """One check as its file defines it.

    `query` returns `account`, `key` and `condition`, maybe `outcome` (`failed` or
    `inconclusive`), and any further columns as evidence: a dot in a name nests, NULL is left out.
    `population` counts what was examined; `unjudged` names accounts that could not be.
    """

    id: str
    severity: Severity
    title: str
    criterion: str
    remedy: str
    population: str
    query: str
    unjudged: str = ""


def parse_check(text: str, origin: str) -> Check:
    """The check a file's text defines; CheckDefinitionError names the origin and the fault."""
    header: dict[str, str] = {}
    for line in text.splitlines():
        match = _HEADER.fullmatch(line)
        if not match:
            break
        header[match[1]] = match[2].strip()
    _validate_header(header, origin)
    body = "\n".join(text.splitlines()[len(header) :]).strip()
    if not body:
        raise CheckDefinitionError(f"{origin}: no SELECT follows the header")
    severity = Severity(header.pop("severity"))
    return Check(severity=severity, query=body, **header)


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
        if check.id in checks:
            raise CheckDefinitionError(f"{source}: another check has the id {check.id} already")
        checks[check.id] = check
    return tuple(checks[name] for name in sorted(checks))


def select_checks(checks: Iterable[Check], pattern: str | None) -> tuple[Check, ...]:
    """The checks whose id matches a glob (`balances.*`); CheckDefinitionError when none does."""
    every = tuple(checks)
    chosen = tuple(c for c in every if pattern is None or fnmatchcase(c.id, pattern))
    if not chosen:
        known = ", ".join(check.id for check in every)
        raise CheckDefinitionError(f"--check {pattern!r} matches no check; there are: {known}")
    return chosen
