"""The public face: its names, its lightness, and its promise to load nothing heavy."""

import subprocess
import sys

import pytest

import opskit

HEAVY = (
    "boto3",
    "botocore",
    "pandas",
    "pyarrow",
    "duckdb",
    "jupyterlab",
    "IPython",
    "rich",
    "moto",
)


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after running code."""
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return {name.partition(".")[0] for name in answer.stdout.split()}


def test_the_public_names_are_sorted_and_all_there() -> None:
    """Every name of `__all__` resolves to what is called so, and the list is sorted."""
    assert opskit.__all__ == sorted(opskit.__all__)
    for name in opskit.__all__:
        assert getattr(opskit, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A name that is not public is refused by name."""
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        opskit.nothing_of_the_kind  # noqa: B018


def test_importing_opskit_loads_nothing_heavy() -> None:
    """`import opskit` leaves the SDK, the engines and the notebook stack unloaded."""
    assert not loaded_by("import opskit") & set(HEAVY)


def test_the_help_of_every_verb_loads_nothing_heavy() -> None:
    """`opskit --help` imports every verb's module, and none of them imports what is heavy."""
    code = "import opskit.cli as c\nc.cli(['--help'], standalone_mode=False)"
    assert not loaded_by(code) & set(HEAVY)
