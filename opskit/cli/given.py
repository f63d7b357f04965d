"""What an option may be given: never an empty text, which would count as not given at all."""

import errno
import math
import os
from pathlib import Path
from typing import Any

import click

from opskit.errors import InputError


def _require_some(value: Any, param: click.Parameter | None) -> None:
    if isinstance(value, str) and not value.strip():
        name = param.opts[0] if isinstance(param, click.Option) else "an argument"
        raise InputError(f"{name} is empty; give a value, or leave it out")


SHOWN = 60
"""Of a path that is too long so many characters are shown."""


def require_possible(named: str, path: Path, place: Path | None = None) -> None:
    """InputError where a path, or the `place` beside it that is written first, cannot exist."""
    try:
        os.lstat(place or path)
    except OSError as error:
        if error.errno not in (errno.ENAMETOOLONG, errno.ELOOP):
            return
        message = f"{named} {shortened(str(path))}: {os.strerror(error.errno).lower()}"
        raise InputError(f"{message}; name a shorter path") from None


def shortened(path: str) -> str:
    """A path of which a line can speak."""
    return path if len(path) <= SHOWN else f"{path[:SHOWN]}…"


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
        named = param.opts[0] if isinstance(param, click.Option) else "the path"
        require_possible(named, Path(value))
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
