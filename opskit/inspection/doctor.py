"""Whether opskit could work here: every setting with its origin, then credentials and endpoint."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING

from opskit.aws import Connection, access_errors, caller_identity, dynamodb_client, is_loopback
from opskit.errors import EXIT_CLEAN, EXIT_FAILED, AccessError, CorruptResponseError
from opskit.settings import LOGICAL_TABLES, Origin, Problem, Setting, Settings, problems

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HIDDEN = "(not shown)"
"""Stands for a value that is not what its variable holds: it may be a secret gone astray."""


class Health(StrEnum):
    """How one thing stands; what could not be told is unknown, never a pass."""

    PASS = "pass"  # noqa: S105 - an outcome
    FAIL = "fail"
    UNKNOWN = "unknown"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that was looked at: its value, where that came from, how it stands, and why."""

    subject: str
    value: str
    source: str
    health: Health
    note: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found of the settings, and of AWS or the engine they lead to."""

    settings: tuple[Reading, ...]
    access: tuple[Reading, ...]

    @property
    def health(self) -> Health:
        """Fail when anything keeps opskit from working, otherwise pass."""
        failed = any(r.health is Health.FAIL for r in (*self.settings, *self.access))
        return Health.FAIL if failed else Health.PASS

    @property
    def exit_code(self) -> int:
        """0, or 2 when a setting, the credentials or the endpoint cannot be used."""
        return EXIT_FAILED if self.health is Health.FAIL else EXIT_CLEAN


def diagnose(settings: Settings) -> Diagnosis:
    """Judge the settings, then ask AWS or the local engine two questions that change nothing."""
    found = problems(settings, required=LOGICAL_TABLES)
    readings = (
        *(_setting_reading(setting, found) for setting in settings.found.values()),
        *(_line_reading(line) for line in settings.unreadable),
    )
    wrong = {problem.variable for problem in found}
    unread = {line.variable for line in settings.unreadable}
    blocked = sorted(name for name in wrong if name.startswith("AWS_") or name in unread)
    if blocked:
        note = f"not asked: correct {', '.join(blocked)} first"
        unasked = Reading("access", "", "", Health.UNKNOWN, note)
        return Diagnosis(readings, (unasked,))
    return Diagnosis(readings, tuple(_access_readings(settings.connection)))


def _setting_reading(setting: Setting, found: tuple[Problem, ...]) -> Reading:
    name = setting.variable.name
    faults = [f"{problem.text}: {problem.fix}" for problem in found if problem.variable == name]
    sound = not faults or all("same table" in fault for fault in faults)
    shown = (setting.value or "") if sound else HIDDEN
    source = f"{setting.source} ({setting.where})" if setting.where else setting.source.value
    return Reading(
        name,
        shown if setting.value else "",
        source,
        Health.FAIL if faults else Health.PASS,
        "; ".join((*faults, *_remarks(setting))),
    )


def _line_reading(line: Problem) -> Reading:
    """A line of the .env file that could not be read; what it says is not shown."""
    note = f"{line.text}: {line.fix}"
    return Reading(line.variable, HIDDEN, "env file", Health.FAIL, note)


def _remarks(setting: Setting) -> Iterator[str]:
    """What is no fault but may surprise: another value that loses, or an empty one."""
    other = [origin for origin in setting.shadowed if origin.value != setting.value]
    if other:
        yield f"hides another value in {_places(other)}"
    if setting.empty:
        yield f"empty, so not used, in {_places(setting.empty)}"


def _places(origins: list[Origin] | tuple[Origin, ...]) -> str:
    env_file = "env file"
    return ", ".join(
        f"{env_file} {origin.where}" if origin.source == env_file else f"the {origin.source}"
        for origin in origins
    )


def _access_readings(connection: Connection) -> Iterator[Reading]:
    try:
        client = dynamodb_client(connection, workers=1, attempts=2)
    except AccessError as error:
        yield Reading("access", "", "", Health.FAIL, str(error))
        return
    local = is_loopback(client.meta.endpoint_url)
    kind = "local engine" if local else "AWS"
    yield Reading("endpoint", client.meta.endpoint_url, kind, Health.PASS)
    yield Reading("region", client.meta.region_name, _region_source(connection), Health.PASS)
    reachability = _reachability(client)
    yield from _identity_readings(connection, answers=reachability.health is not Health.FAIL)
    yield reachability
    yield _reader()


def _region_source(connection: Connection) -> str:
    if connection.region:
        return "settings"
    return "local engine" if is_loopback(connection.endpoint_url) else "AWS configuration"


def _identity_readings(connection: Connection, *, answers: bool) -> Iterator[Reading]:
    from botocore import exceptions as sdk

    try:
        identity = caller_identity(connection)
    except AccessError as error:
        unreachable = isinstance(error.__cause__, sdk.ConnectionError | sdk.HTTPClientError)
        health = Health.UNKNOWN if unreachable else Health.FAIL
        yield Reading("credentials", "", "", health, str(error))
        return
    except sdk.ClientError as error:
        yield Reading("credentials", "", "", Health.UNKNOWN, f"STS answered {_code(error)}")
        return
    yield Reading("credentials", identity.provider or "", "", Health.PASS)
    yield _told("account", identity.account, answers=answers)
    yield _told("principal", identity.principal, answers=answers)


def _told(subject: str, value: str | None, *, answers: bool) -> Reading:
    """What STS said, or why it said nothing: an engine without STS, or no engine at all."""
    if value:
        return Reading(subject, value, "STS", Health.PASS)
    if answers:
        return Reading(subject, "", "STS", Health.UNSUPPORTED, "this engine has no STS to tell")
    return Reading(subject, "", "STS", Health.UNKNOWN, "the endpoint does not answer")


def _reachability(client: "DynamoDBClient") -> Reading:
    """Ask for one table name: the cheapest question every engine answers."""
    from botocore.exceptions import ClientError

    health, note = Health.PASS, "ListTables was answered"
    try:
        with access_errors():
            client.list_tables(Limit=1)
    except AccessError as error:
        reached = isinstance(error.__cause__, ClientError) and str(error).startswith(
            "not permitted"
        )
        health, note = (Health.UNKNOWN if reached else Health.FAIL), str(error)
    except CorruptResponseError as error:
        health, note = Health.FAIL, str(error)
    except ClientError as error:
        unsupported = "UnknownOperation" in _code(error)
        health = Health.UNSUPPORTED if unsupported else Health.FAIL
        note = f"ListTables: {_code(error)}; is this a DynamoDB endpoint?"
    return Reading("reachability", "", "", health, note)


def _reader() -> Reading:
    """Whether tables are read by compiled code; what stands in for it is as exact, and slower."""
    if find_spec("opskit.read._plain"):
        return Reading("reader", "compiled", "this installation", Health.PASS)
    note = "reads several times slower: install a C compiler, then opskit again"
    return Reading("reader", "not compiled", "this installation", Health.UNSUPPORTED, note)


def _code(error: Exception) -> str:
    response = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", "an error"))
