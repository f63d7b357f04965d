"""The conda environment and the package declare the same floors."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONDA_NAMES = {"duckdb": "python-duckdb"}
ONLY_FROM_PIP = {"playwright"}


def floors_of_package() -> dict[str, str]:
    """The requirement of each dependency in pyproject.toml, by its conda name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    found = {}
    for requirement in wanted:
        match = re.fullmatch(r"([A-Za-z0-9_-]+)(\[.*])?(.*)", requirement)
        assert match
        found[CONDA_NAMES.get(match[1], match[1])] = match[3]
    return {name: floor for name, floor in found.items() if name not in ONLY_FROM_PIP}


def floors_of_conda() -> dict[str, str]:
    """The requirement of each dependency in environment.yml."""
    lines = (ROOT / "environment.yml").read_text().splitlines()
    pairs = [re.fullmatch(r"  - ([a-z0-9_-]+) (\S+)", line) for line in lines]
    return {match[1]: match[2] for match in pairs if match}


def test_conda_and_pip_users_get_the_same_floors() -> None:
    """Each dependency has one floor, whichever way it is installed."""
    conda = floors_of_conda()
    assert conda.pop("python") == ">=3.11"
    assert conda == floors_of_package()


def test_constraints_pin_every_dependency_without_an_address() -> None:
    """The constraints pin exact versions by name and record no place to download from."""
    pins = (ROOT / "constraints.txt").read_text().split()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", pin) for pin in pins)
    names = {pin.partition("==")[0].lower().replace("_", "-") for pin in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for requirement in project["dependencies"] + project["optional-dependencies"]["dev"]:
        assert re.split(r"[\[<>=]", requirement)[0].lower() in names
