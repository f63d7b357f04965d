"""Where every setting came from, and whether it can be used; nothing is written anywhere.

A setting is looked for in the arguments, then the process environment, then `.env`, then the
defaults. `problems` and `require` judge settings before AWS is asked anything.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations
from pathlib import Path
from types import MappingProxyType

from opskit.aws import Connection, is_loopback
from opskit.aws.forms import Fault, attribute_fault, endpoint_fault, name_fault, region_fault
from opskit.envfile import Line, env_file_lines, nearest_env_file
from opskit.errors import SettingsError


class Layout(StrEnum):
    """The two key layouts of a billing table, named for their partition key attribute."""

    PK = "pk"
    USER_SUB = "user_sub"


class Source(StrEnum):
    """Where a value was found, the strongest first."""

    ARGUMENT = "argument"
    ENVIRONMENT = "environment"
    ENV_FILE = "env file"
    DEFAULT = "default"
    UNSET = "not set"


class Form(StrEnum):
    """What a value must look like."""

    TABLE = "table name"
    INDEX = "index name"
    ATTRIBUTE = "attribute name"
    REGION = "region"
    ENDPOINT = "endpoint"
    PROFILE = "profile"
    LAYOUT = "key layout"


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable opskit reads; `logical` is the table it belongs to, None when all."""

    name: str
    form: Form
    logical: str | None = None
    default: str | None = None


VARIABLES = (
    Variable("DDB_SESSIONS_TABLE", Form.TABLE, "sessions"),
    Variable("DDB_TOTP_TABLE", Form.TABLE, "totp_devices"),
    Variable("DDB_SMS_TABLE", Form.TABLE, "sms_devices"),
    Variable("DDB_EMAIL_TABLE", Form.TABLE, "email_devices"),
    Variable("DDB_RECOVERY_TABLE", Form.TABLE, "recovery_codes"),
    Variable("API_KEYS_TABLE_NAME", Form.TABLE, "api_keys", "api_keys"),
    Variable("ALERTS_TABLE_NAME", Form.TABLE, "alerts", "alerts"),
    Variable("ALERT_PREFS_TABLE_NAME", Form.TABLE, "alert_prefs", "alert_prefs"),
    Variable("BILLING_TABLE_NAME", Form.TABLE, "billing"),
    Variable("API_KEYS_USER_INDEX", Form.INDEX, "api_keys", "user_sub-index"),
    Variable("DDB_TTL_ATTR", Form.ATTRIBUTE, None, "ttl_epoch"),
    Variable("OPSKIT_BILLING_LAYOUT", Form.LAYOUT, "billing", Layout.PK.value),
    Variable("AWS_REGION", Form.REGION),
    Variable("AWS_DEFAULT_REGION", Form.REGION),
    Variable("AWS_ENDPOINT_URL_DYNAMODB", Form.ENDPOINT),
    Variable("AWS_ENDPOINT_URL_S3", Form.ENDPOINT),
    Variable("AWS_ENDPOINT_URL", Form.ENDPOINT),
    Variable("AWS_PROFILE", Form.PROFILE),
)
"""Every variable opskit reads, in the order `doctor` shows them."""

LOGICAL_TABLES = tuple(v.logical for v in VARIABLES if v.form is Form.TABLE and v.logical)
"""The nine tables by the names opskit has for them."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A place that held a value: which kind, and which argument, variable or file line."""

    source: Source
    where: str
    value: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable's value, where it came from, what it hides, and where it stood empty."""

    variable: Variable
    value: str | None
    source: Source
    where: str = ""
    shadowed: tuple[Origin, ...] = ()
    empty: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a variable cannot be used, and what to do; the value, maybe a secret, is not quoted."""

    variable: str
    text: str
    fix: str

    def __str__(self) -> str:
        return f"{self.variable} {self.text} ({self.fix})"


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its origin; `unreadable` are the lines of the .env file that are none."""

    found: Mapping[str, Setting]
    env_file: Path | None = None
    unreadable: "tuple[Problem, ...]" = ()

    def value(self, variable: str) -> Setting:
        """The setting of a variable, by its name."""
        return self.found[variable]

    @property
    def table_names(self) -> Mapping[str, str]:
        """Each logical table that has a name, and the name."""
        tables = (s for s in self.found.values() if s.variable.form is Form.TABLE)
        return {s.variable.logical: s.value for s in tables if s.value and s.variable.logical}

    @property
    def connection(self) -> Connection:
        """Where clients are to send."""
        return Connection(
            region=self._text("AWS_REGION") or self._text("AWS_DEFAULT_REGION"),
            endpoint_url=self._text("AWS_ENDPOINT_URL_DYNAMODB") or self._text("AWS_ENDPOINT_URL"),
            profile=self._text("AWS_PROFILE"),
        )

    @property
    def s3_connection(self) -> Connection:
        """Where clients of S3 are to send: with a local DynamoDB to this machine too."""
        given = self._text("AWS_ENDPOINT_URL_S3") or self._text("AWS_ENDPOINT_URL")
        tables = self.connection
        local = tables.endpoint_url if is_loopback(tables.endpoint_url) else None
        return replace(tables, endpoint_url=given or local)

    @property
    def ttl_attribute(self) -> str:
        """The attribute the service writes each item's time of death to, in epoch seconds."""
        return self._text("DDB_TTL_ATTR") or "ttl_epoch"

    @property
    def user_index(self) -> str:
        """The name of the index of API keys by user."""
        return self._text("API_KEYS_USER_INDEX") or "user_sub-index"

    @property
    def billing_layout(self) -> Layout:
        """The key layout a new billing table is to have; SettingsError when it names none."""
        value = self._text("OPSKIT_BILLING_LAYOUT") or Layout.PK
        fault = _layout_fault(value)
        if fault:
            raise SettingsError(str(Problem("OPSKIT_BILLING_LAYOUT", *fault)))
        return Layout(value)

    def _text(self, name: str) -> str | None:
        return self.found[name].value


def load_settings(
    arguments: Mapping[str, str] = MappingProxyType({}),
    *,
    environ: Mapping[str, str],
    env_file: Path | None = None,
) -> Settings:
    """Find every variable: arguments, then `environ`, then the .env file, then defaults.

    Without `env_file` the nearest `.env` from the working folder upwards is read, if any. Raises
    SettingsError for an argument that is no variable and for a file that cannot be read.
    """
    unknown = sorted(set(arguments) - {variable.name for variable in VARIABLES})
    if unknown:
        raise SettingsError(f"{', '.join(unknown)}: no such setting; see `opskit doctor`")
    path = env_file or nearest_env_file()
    places = [
        *(Origin(Source.ARGUMENT, name, value) for name, value in arguments.items()),
        *(Origin(Source.ENVIRONMENT, name, value) for name, value in environ.items()),
    ]
    lines = env_file_lines(path) if path else []
    held = [(origin.where, origin) for origin in places]
    held += _env_file_values(lines)
    found = {v.name: _setting(v, [o for name, o in held if name == v.name]) for v in VARIABLES}
    return Settings(MappingProxyType(found), path, tuple(_unreadable(lines)))


def _setting(variable: Variable, origins: list[Origin]) -> Setting:
    """Choose the strongest non-empty origin; the rest is shadowed or was empty."""
    empty = tuple(origin for origin in origins if not origin.value.strip())
    given = [origin for origin in origins if origin.value.strip()]
    if given:
        chosen, *hidden = given
        where = chosen.where if chosen.source is Source.ENV_FILE else ""
        return Setting(variable, chosen.value, chosen.source, where, tuple(hidden), empty)
    source = Source.DEFAULT if variable.default else Source.UNSET
    return Setting(variable, variable.default, source, empty=empty)


def _env_file_values(lines: list[Line]) -> list[tuple[str, Origin]]:
    """Each name and value of the file, the last line first: of two with one name it wins."""
    return [
        (line.name, Origin(Source.ENV_FILE, line.where, line.value))
        for line in reversed(lines)
        if line.name
    ]


def _unreadable(lines: list[Line]) -> Iterator[Problem]:
    """Each line that is lost: what it was to set would be a default."""
    for line in lines:
        if not line.readable:
            yield Problem(line.where, "is not NAME=value", "unbalanced quote?")


def _layout_fault(value: str) -> Fault:
    known = " or ".join(Layout)
    return None if value in {*Layout} else ("names no key layout", f"give {known}")


_RULES: Mapping[Form, Callable[[str], Fault]] = {
    Form.TABLE: name_fault,
    Form.INDEX: name_fault,
    Form.ATTRIBUTE: attribute_fault,
    Form.REGION: region_fault,
    Form.ENDPOINT: endpoint_fault,
    Form.LAYOUT: _layout_fault,
}


def _form_fault(value: str, form: Form, *, local: bool) -> Fault:
    if value != value.strip():
        return "starts or ends with a space or a line break", "remove it"
    if value[0] in "'\"`" or value[-1] in "'\"`":
        return "holds quotes as part of the value", "remove the quotes"
    if form not in _RULES or (local and form is Form.REGION):
        return None
    return _RULES[form](value)


def _shared_names(settings: Settings, required: Collection[str]) -> Iterator[Problem]:
    """Two logical tables with one name: each would overwrite the other's items."""
    tables = [s for s in settings.found.values() if s.variable.form is Form.TABLE and s.value]
    for one, other in combinations(tables, 2):
        touched = {one.variable.logical, other.variable.logical} & set(required)
        if one.value == other.value and touched:
            text = f"names the same table as {one.variable.name}"
            yield Problem(other.variable.name, text, "give each table its own name")


def _own_problem(setting: Setting, *, local: bool) -> Problem | None:
    variable = setting.variable
    if setting.value is None:
        needed = variable.form is Form.TABLE
        fix = "set it in the environment or in .env"
        return Problem(variable.name, "is not set", fix) if needed else None
    fault = _form_fault(setting.value, variable.form, local=local)
    return Problem(variable.name, *fault) if fault else None


def problems(settings: Settings, *, required: Collection[str]) -> tuple[Problem, ...]:
    """Everything that keeps the `required` logical tables from being used, all at once.

    A line of the .env file that cannot be read may be any variable's, so it always counts.
    """
    local = is_loopback(settings.connection.endpoint_url)
    wanted = {*required, None}
    used = (s for s in settings.found.values() if s.variable.logical in wanted)
    own = (_own_problem(setting, local=local) for setting in used)
    return (
        *settings.unreadable,
        *(problem for problem in own if problem),
        *_shared_names(settings, required),
    )


def require(settings: Settings, *logical_tables: str) -> None:
    """Raise SettingsError, one line with every problem, unless the tables can be used."""
    found = problems(settings, required=logical_tables)
    if found:
        listed = "; ".join(str(problem) for problem in found)
        raise SettingsError(f"settings: {listed}; `opskit doctor` shows where each comes from")
