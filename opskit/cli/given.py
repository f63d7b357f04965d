"""What an option may be given: never an empty text, which would count as not given at all."""

import math
from pathlib import Path
from typing import Any

import click

from opskit.errors import InputError


def _require_some(value: Any, param: click.Parameter | None) -> None:
    if isinstance(value, str) and not value.strip():
        name = param.opts[0] if isinstance(param, click.Option) else "an argument"
        raise InputError(f"{name} is empty; give a value, or leave it out")


class _Text(click.types.StringParamType):
    """A text that is not empty."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Give the text as it is."""
        del ctx
        _require_some(value, param)
        return str(value)


class _Path(click.Path):
    """A path that is not empty: click would take an empty one for the working folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Give the path as it is."""
        _require_some(value, param)
        return super().convert(value, param, ctx)


class _Seconds(click.types.FloatParamType):
    """A finite number of seconds, none or more."""

    name = "seconds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Give the number, or refuse what is none."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not (math.isfinite(seconds) and seconds >= 0):
            self.fail(f"{value!r} is no number of seconds; give 0 or more.", param, ctx)
        return seconds


TEXT = _Text()
PATH = _Path(path_type=Path)
SECONDS = _Seconds()
DEADLINE = click.option(
    "--deadline",
    type=SECONDS,
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a page of a live table that fails is asked for again.",
)
