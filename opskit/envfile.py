"""The lines of a `.env` file, each with its place; the file is only read, never written."""

import io
from dataclasses import dataclass
from pathlib import Path

from dotenv import find_dotenv
from dotenv.parser import Binding, parse_stream

from opskit.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: what it sets, if anything, and `FILE:LINE` where it stands."""

    where: str
    name: str | None
    value: str
    readable: bool
    """False for a line that sets nothing and is no comment: what it was to set is lost."""


def nearest_env_file() -> Path | None:
    """The `.env` of the working folder or the nearest above it."""
    try:
        found = find_dotenv(usecwd=True)
    except OSError:
        return None
    return Path(found) if found else None


def env_file_lines(path: Path) -> list[Line]:
    """Every line, in order; SettingsError when the file cannot be read."""
    return [_line(path, binding) for binding in parse_stream(io.StringIO(_text(path)))]


def _line(path: Path, binding: Binding) -> Line:
    lost = binding.error or (binding.key is not None and binding.value is None)
    where = f"{path}:{_line_number(binding)}"
    return Line(where, binding.key, binding.value or "", readable=not lost)


def _line_number(binding: Binding) -> int:
    text = binding.original.string  # the parser gives a binding the blank lines before it
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file; give an existing --env-file") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}; check the path") from None
