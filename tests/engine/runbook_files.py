"""Small notebooks for the tests of running them."""

import json
from collections.abc import Sequence
from pathlib import Path


def write_notebook(
    folder: Path, slug: str, cells: Sequence[str], *, parameters: str = "", number: str = "90"
) -> Path:
    """Write a runbook with a heading, a parameters cell and then the cells given."""
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
        "opskit": {"slug": slug, "title": f"The {slug}", "writes": False},
    }
    code = [
        _code("parameters", f"# Parameters\n{parameters}", ["parameters"]),
        *(_code(f"cell-{place}", source, []) for place, source in enumerate(cells)),
    ]
    heading = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": f"# The {slug}"}
    document = {"cells": [heading, *code], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{number}_{slug}.ipynb"
    path.write_text(json.dumps(document))
    return path


def _code(name: str, source: str, tags: list[str]) -> dict[str, object]:
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {"tags": tags},
        "execution_count": None,
        "outputs": [],
        "source": source,
    }
