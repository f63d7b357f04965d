"""The parameters of checks: what a check's header declares, and the values a run gives them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from opskit.errors import CheckDefinitionError, InputError

if TYPE_CHECKING:
    from opskit.audit.check import Check

Value = int | str

AS_OF = "as_of"
SETTLE_WINDOW = "settle_window"
SETTLE_WINDOW_SECONDS = 120
"""Longer than the service's longest write: a processor call of 20 s with its retries."""

_DECLARATION = re.compile(r"([a-z][a-z0-9_]*) ([A-Z]+) =(?: (.*))?")
_USED = re.compile(r"\$([a-z][a-z0-9_]*)")


class ParameterType(StrEnum):
    """What a parameter's value is."""

    INTEGER = "INTEGER"
    TEXT = "TEXT"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One named parameter of a check's SQL, written `$name` there."""

    name: str
    type: ParameterType
    default: Value


RUN_PARAMETERS = (Parameter(SETTLE_WINDOW, ParameterType.INTEGER, SETTLE_WINDOW_SECONDS),)
"""What every run takes beside its checks' own parameters."""


def parse_parameter(text: str, origin: str) -> Parameter:
    """The parameter of a header line, `name TYPE = default`."""
    match = _DECLARATION.fullmatch(text)
    if not match or match[2] not in set(ParameterType):
        known = " or ".join(ParameterType)
        message = f"{origin}: parameter {text!r} is not `name TYPE = default` of type {known}"
        raise CheckDefinitionError(message)
    if match[1] in {AS_OF, *(parameter.name for parameter in RUN_PARAMETERS)}:
        raise CheckDefinitionError(f"{origin}: parameter {match[1]} is every run's already")
    kind = ParameterType(match[2])
    default = _value(kind, (match[3] or "").strip())
    if default is None:
        raise CheckDefinitionError(f"{origin}: the default of {match[1]} is no {kind}")
    return Parameter(match[1], kind, default)


def _value(kind: ParameterType, text: str) -> Value | None:
    """A parameter's value from its text; None when the text is not of the type."""
    if kind is ParameterType.TEXT:
        return text
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII) else None


def given_parameters(texts: Iterable[str]) -> dict[str, str]:
    """The `name=value` texts of a command line as a mapping; InputError for any other text."""
    given = {}
    for text in texts:
        name, mark, value = text.partition("=")
        if not mark or not name:
            raise InputError(f"--param {text}: give name=value")
        if name in given:
            raise InputError(f"--param {name} is given twice; give it once")
        given[name] = value
    return given


def run_values(
    checks: Iterable["Check"], given: Mapping[str, str], as_of: datetime
) -> dict[str, Value]:
    """Every value a run's SQL may use by name; checks that share a name share a given value.

    InputError names a given parameter that no check of the run takes, or a value of another type.
    """
    declared = [*RUN_PARAMETERS, *(p for check in checks for p in check.parameters)]
    names = {parameter.name for parameter in declared}
    for name in given:
        if name not in names:
            known = ", ".join(sorted(names))
            raise InputError(f"--param {name}: no check of this run takes it; they take {known}")
    values: dict[str, Value] = {AS_OF: int(as_of.timestamp())}
    for parameter in declared:
        if parameter.name in given:
            values[parameter.name] = _given_value(parameter, given[parameter.name])
    values.setdefault(SETTLE_WINDOW, SETTLE_WINDOW_SECONDS)
    return values


def _given_value(parameter: Parameter, text: str) -> Value:
    value = _value(parameter.type, text)
    if value is None:
        raise InputError(f"--param {parameter.name}={text}: give a value of type {parameter.type}")
    if parameter.name == SETTLE_WINDOW and int(value) < 0:
        raise InputError(f"--param {parameter.name}={text}: give 0 seconds or more")
    return value


def bound(sql: str, check: "Check", values: Mapping[str, Value]) -> dict[str, object]:
    """The parameters one statement of a check names, with the run's values or the defaults."""
    defaults = {parameter.name: parameter.default for parameter in check.parameters}
    available = {**defaults, **values}
    return {name: available[name] for name in set(_USED.findall(sql)) if name in available}
