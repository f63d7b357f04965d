"""The options every verb shares, and how a verb talks: documents on stdout, progress on stderr."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from types import MappingProxyType
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from opskit.cli.given import PATH, TEXT
from opskit.errors import InputError
from opskit.instants import utc_instant
from opskit.settings import Settings, load_settings

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Common:
    """What the shared options said, as one value."""

    env_file: Path | None
    region: str | None
    profile: str | None
    endpoint_url: str | None
    json: bool
    as_of: datetime
    dated: bool = False

    def judged_at(self, instant: str) -> datetime:
        """When books are judged: --as-of, else the `instant` their source is of, else now."""
        if self.dated or not instant:
            return self.as_of
        return datetime.fromisoformat(instant)

    def settings(self, more: Mapping[str, str | None] = MappingProxyType({})) -> Settings:
        """The settings with the options on top: arguments, environment, `.env`, defaults.

        `more` holds the values of a verb's own options by variable; None is not given.
        """
        given = {
            **more,
            "AWS_REGION": self.region,
            "AWS_PROFILE": self.profile,
            "AWS_ENDPOINT_URL_DYNAMODB": self.endpoint_url,
        }
        arguments = {name: value for name, value in given.items() if value is not None}
        return load_settings(arguments, environ=os.environ, env_file=self.env_file)

    def emit(self, document: Mapping[str, object]) -> None:
        """Print one JSON document on stdout."""
        from opskit.present.json import exact, json_text

        click.echo(json_text({name: exact(value) for name, value in document.items()}))


def progress(message: str) -> None:
    """Tell the person at the terminal how far the work is, on stderr."""
    click.echo(message, err=True)


def instant(text: str | None, option: str = "--as-of") -> datetime:
    """The UTC instant an option names; a date is its midnight; None is now."""
    if text is None:
        return datetime.now(UTC)
    value = utc_instant(text)
    if value is None:
        message = f"{option} {text!r} is not a date; give YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ (UTC)"
        raise InputError(message)
    return value


_OPTIONS = (
    click.option("--env-file", type=PATH, help="Read settings from this .env file."),
    click.option(
        "--region", type=TEXT, help="AWS region; otherwise AWS_REGION, then the SDK's chain."
    ),
    click.option("--profile", type=TEXT, help="Named profile of the AWS configuration."),
    click.option(
        "--endpoint-url", type=TEXT, help="Send to this DynamoDB endpoint (a local engine)."
    ),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout."),
    click.option("--as-of", metavar="DATE", help="Judge as of this UTC date instead of now."),
    click.option("--debug", is_flag=True, expose_value=False, help="Show a traceback on error."),
)


def common_options(command: Callable[Concatenate[Common, P], R]) -> Callable[..., R]:
    """Add the shared options to a verb, which receives them as its first argument."""

    @wraps(command)
    def run(**given: Any) -> R:
        dated = given["as_of"] is not None
        common = Common(
            env_file=given.pop("env_file"),
            region=given.pop("region"),
            profile=given.pop("profile"),
            endpoint_url=given.pop("endpoint_url"),
            json=given.pop("as_json"),
            as_of=instant(given.pop("as_of")),
            dated=dated,
        )
        return command(common, **given)  # type: ignore[call-arg]

    for option in reversed(_OPTIONS):
        run = option(run)
    return run
