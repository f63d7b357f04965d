"""A runbook: a notebook file, found by its slug, and what it says about itself."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from opskit.errors import InputError, ParameterError
from opskit.notebook.parameters import Parameter, parse_parameters

NOTEBOOKS_VARIABLE = "OPSKIT_NOTEBOOKS"
_NUMBER = re.compile(r"^\d\d_")


@dataclass(frozen=True, slots=True)
class Runbook:
    """One notebook of the notebooks folder; `sha256` is of the file as it is run."""

    path: Path
    slug: str
    title: str
    writes: bool
    parameters: tuple[Parameter, ...]
    sha256: str


def notebooks_folder(start: Path, environ: Mapping[str, str]) -> Path:
    """The folder of runbooks: OPSKIT_NOTEBOOKS, else `notebooks/` here or in a folder above."""
    named = environ.get(NOTEBOOKS_VARIABLE)
    if named:
        if Path(named).is_dir():
            return Path(named).resolve()
        raise InputError(f"{NOTEBOOKS_VARIABLE} names {named}, which is no folder; correct it")
    for folder in (start.resolve(), *start.resolve().parents):
        for candidate in (folder / "notebooks", folder):
            if candidate.is_dir() and candidate.name == "notebooks" and any(_files(candidate)):
                return candidate
    message = "no notebooks/ folder here or above"
    raise InputError(f"{message}; go to the project's folder or set {NOTEBOOKS_VARIABLE}")


def _files(folder: Path) -> Iterator[Path]:
    return iter(sorted(folder.glob("[0-9][0-9]_*.ipynb")))


def slug_of(path: Path) -> str:
    """The identity of a runbook: its file's name without the number and the ending."""
    return _NUMBER.sub("", path.stem)


def runbook_files(folder: Path) -> dict[str, Path]:
    """Every runbook of a folder by slug, in the order of their numbers."""
    return {slug_of(path): path for path in _files(folder)}


def find_runbook(name: str, *, start: Path, environ: Mapping[str, str]) -> Runbook:
    """The runbook a slug, a numbered name or a path to an .ipynb file names."""
    if name.endswith(".ipynb") and Path(name).is_file():
        return load_runbook(Path(name).resolve())
    files = runbook_files(notebooks_folder(start, environ))
    path = files.get(_NUMBER.sub("", Path(name).stem))
    if path is None or (_NUMBER.match(name) and Path(name).stem != path.stem):
        raise InputError(f"there is no runbook {name!r}; there are: {', '.join(files)}")
    return load_runbook(path)


def load_runbook(path: Path) -> Runbook:
    """Read a notebook file as a runbook, without running any of it."""
    data = path.read_bytes()
    try:
        document = json.loads(data)
        cells, about = document["cells"], document["metadata"].get("opskit", {})
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path.name} is not a notebook; give a file of nbformat 4") from None
    slug = about.get("slug", slug_of(path))
    return Runbook(
        path=path,
        slug=slug,
        title=about.get("title", slug),
        writes=bool(about.get("writes", False)),
        parameters=_parameters(path, cells),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def tagged(cells: list[dict[str, object]], tag: str) -> list[str]:
    """The sources of the cells that carry a tag."""
    return [cell_source(cell) for cell in cells if tag in cell_tags(cell)]


def cell_tags(cell: Mapping[str, object]) -> list[str]:
    """The tags of a cell as they are in the file."""
    metadata = cell.get("metadata")
    tags = metadata.get("tags", []) if isinstance(metadata, dict) else []
    return [str(tag) for tag in tags]


def cell_source(cell: Mapping[str, object]) -> str:
    """The text of a cell, which a file holds as one string or as lines."""
    source = cell["source"]
    return "".join(source) if isinstance(source, list) else str(source)


def _parameters(path: Path, cells: list[dict[str, object]]) -> tuple[Parameter, ...]:
    sources = tagged(cells, "parameters")
    if len(sources) > 1:
        raise ParameterError(f"{path.name} has {len(sources)} cells tagged parameters; keep one")
    try:
        return parse_parameters(sources[0]) if sources else ()
    except ParameterError as error:
        raise ParameterError(f"{path.name}: {error}") from None
