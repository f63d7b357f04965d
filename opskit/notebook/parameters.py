"""The typed contract of a runbook: what its `parameters` cell takes, and checking what is given.

The cell is read with `ast` and `tokenize` and never executed. Its one form of line is
`name: annotation = literal  # Help text.`; a help text that ends in `One of: a, b.` closes the set,
one that ends in `A UTC date or time.` takes only that or nothing, one that ends in
`Existing paths.` only what is there, and one that ends in `Required.` lets no empty value through.
"""

import ast
import hashlib
import io
import json
import math
import os
import re
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from opskit.errors import ParameterError
from opskit.instants import utc_instant
from opskit.notebook.redaction import SECRET_NAME, SECRETS

TYPES: Mapping[str, type] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "list": list,
    "dict": dict,
}
"""The annotations a parameter may have; papermill knows no others."""

TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
"""How a bool is spelled on a command line."""

_CHOICES = re.compile(r"One of: ([^.]+)\.\s*$")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value a runbook takes; `choices` is empty where any value of the type will do."""

    name: str
    annotation: str
    default: object
    help: str = ""
    choices: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        """Whether an empty value will not do."""
        return self.help.endswith("Required.")

    @property
    def dated(self) -> bool:
        """Whether a value is a date or a time."""
        return self.help.endswith(("A UTC date or time.", "A UTC date or time. Required."))

    @property
    def paths(self) -> bool:
        """Whether values are paths of what has to be there."""
        return self.help.endswith(("Existing paths.", "Existing paths. Required."))


def parse_parameters(source: str) -> tuple[Parameter, ...]:
    """The parameters a cell declares, in its order; ParameterError names the line that is wrong."""
    try:
        body = ast.parse(source).body
        comments = _comments(source)
    except (SyntaxError, tokenize.TokenError) as error:
        raise ParameterError(f"the parameters cell is not Python: {error}") from None
    return tuple(_declared(statement, comments) for statement in body)


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0]: t.string.lstrip("# ") for t in tokens if t.type == tokenize.COMMENT}


def _declared(statement: ast.stmt, comments: Mapping[int, str]) -> Parameter:
    where = f"line {statement.lineno} of the parameters cell"
    form = "write `name: annotation = literal  # Help text.`"
    if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
        raise ParameterError(f"{where} is not a parameter; {form}")
    name, annotation = statement.target.id, ast.unparse(statement.annotation)
    if annotation not in TYPES:
        known = ", ".join(TYPES)
        raise ParameterError(f"{where}: {name} has type {annotation}; use one of {known}")
    if statement.value is None or statement.end_lineno != statement.lineno:
        raise ParameterError(f"{where}: {name} has no default on its own line; {form}")
    help_text = comments.get(statement.lineno, "")
    return _parameter(name, annotation, _literal(statement.value, where), help_text)


def _literal(value: ast.expr, where: str) -> object:
    try:
        return ast.literal_eval(value)
    except ValueError:
        raise ParameterError(f"{where}: the default is not a literal; compute it later") from None


def _parameter(name: str, annotation: str, default: object, help_text: str) -> Parameter:
    if SECRET_NAME.search(name):
        message = f"parameter {name} looks like a credential; runs are recorded, so use settings"
        raise ParameterError(message)
    found = _CHOICES.search(help_text)
    choices = tuple(word.strip() for word in found.group(1).split(",")) if found else ()
    parameter = Parameter(name, annotation, default, help_text, choices)
    check_value(parameter, default)
    return parameter


def check_value(parameter: Parameter, value: object) -> object:
    """The value when it has the parameter's type, is a choice and is no credential."""
    wanted = TYPES[parameter.annotation]
    truth_as_number = wanted in (int, float) and isinstance(value, bool)
    if wanted is float and isinstance(value, int) and not truth_as_number:
        value = float(value)
    infinite = isinstance(value, float) and not math.isfinite(value)
    if truth_as_number or infinite or not isinstance(value, wanted):
        shown = type(value).__name__
        message = f"parameter {parameter.name} takes {parameter.annotation}, not {shown}"
        raise ParameterError(f"{message}; {parameter.help}".rstrip("; "))
    if parameter.choices and value not in parameter.choices:
        known = ", ".join(parameter.choices)
        raise ParameterError(f"parameter {parameter.name} takes one of {known}, not {value!r}")
    _refuse_secret(parameter.name, value)
    if parameter.dated and value and utc_instant(str(value)) is None:
        message = f"parameter {parameter.name} is {value!r}, which is no date"
        raise ParameterError(f"{message}; give YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ (UTC)")
    return value


def require_paths(declared: Iterable[Parameter], values: Mapping[str, object], base: Path) -> None:
    """Raise ParameterError unless every path that has to be there is, from `base` or absolute."""
    for parameter in declared:
        value = values.get(parameter.name)
        texts = (value if isinstance(value, list) else [value]) if value else []
        for text in texts if parameter.paths else []:
            if not isinstance(text, str) or not text.strip():
                raise ParameterError(f"parameter {parameter.name} holds {text!r}; give paths")
            if not path_from(base, text).exists():
                message = f"parameter {parameter.name}: there is no {text}"
                raise ParameterError(f"{message}; name what is there")


def path_from(base: Path, text: str) -> Path:
    """A path as a parameter names it: from `base`, or the home folder where it begins with ~."""
    return base / os.path.expanduser(text)  # noqa: PTH111 - it lets an unknown ~name be a name


def _refuse_secret(name: str, value: object) -> None:
    if SECRETS.search(json.dumps(value, default=str)):
        message = f"parameter {name} holds what looks like a credential; runs are recorded"
        raise ParameterError(f"{message}, so put it into the environment or .env instead")


def check_values(declared: Iterable[Parameter], given: Mapping[str, object]) -> dict[str, object]:
    """Every parameter's value: what is given, checked, over the defaults."""
    known = {parameter.name: parameter for parameter in declared}
    for name in given:
        if name not in known:
            names = ", ".join(known) or "none"
            raise ParameterError(f"this runbook takes no parameter {name!r}; it takes: {names}")
    values = {
        name: check_value(parameter, given.get(name, parameter.default))
        for name, parameter in known.items()
    }
    for name, value in values.items():
        if known[name].required and not (value.strip() if isinstance(value, str) else value):
            raise ParameterError(f"parameter {name} is empty; set it: {known[name].help}")
    return values


def values_from_text(declared: Iterable[Parameter], texts: Iterable[str]) -> dict[str, object]:
    """Typed values from `name=value` texts as a shell gives them."""
    known = {parameter.name: parameter for parameter in declared}
    values: dict[str, object] = {}
    for text in texts:
        name, mark, value = text.partition("=")
        if not mark:
            raise ParameterError(f"{text!r} is not a parameter; write -p name=value")
        if name in values:
            raise ParameterError(f"parameter {name} is given twice; give it once")
        values[name] = _from_text(known[name], value) if name in known else value
    checked = check_values(known.values(), values)
    return {name: checked[name] for name in values}


def _from_text(parameter: Parameter, text: str) -> object:
    try:
        return _spelled(parameter.annotation, text)
    except (ValueError, KeyError):
        message = f"parameter {parameter.name} takes {parameter.annotation}, not {text!r}"
        raise ParameterError(f"{message}; {parameter.help}".rstrip("; ")) from None


def _spelled(annotation: str, text: str) -> object:
    match annotation:
        case "str":
            return text
        case "int" | "float":
            return TYPES[annotation](text)
        case "bool":
            return TRUTH[text.strip().lower()]
        case "list" if not text.lstrip().startswith("["):
            return [part.strip() for part in text.split(",") if part.strip()]
        case _:
            return json.loads(text)


def parameters_text(declared: Iterable[Parameter]) -> str:
    """The parameters as a person at a terminal reads them, one a line."""
    rows = [(f"-p {p.name}={json.dumps(p.default)}", f"{p.annotation}  {p.help}") for p in declared]
    width = max((len(left) for left, _ in rows), default=0)
    return "\n".join(f"  {left:<{width}}  {right}" for left, right in rows)


def parameters_hash(values: Mapping[str, object]) -> str:
    """SHA-256 of the values, so that two runs can be told to have asked the same."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
