"""The typed contract of a runbook: parsing the cell, checking what is given."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opskit.errors import ParameterError
from opskit.notebook.parameters import (
    Parameter,
    check_value,
    check_values,
    parameters_hash,
    parameters_text,
    parse_parameters,
    require_paths,
    values_from_text,
)

CELL = """# Parameters
account: str = ""  # A user id; a comment may say a=b, c=d.
limit: int = 10  # How many.
share: float = 0.5  # Part of one.
deep: bool = False  # Whether to look further.
source: list = []  # Files.
extra: dict = {"a": [1, 2]}  # More.
mode: str = "fast"  # How to look. One of: fast, slow.
"""
DECLARED = parse_parameters(CELL)
BY_NAME = {parameter.name: parameter for parameter in DECLARED}


def test_every_form_of_line_is_read() -> None:
    """Name, type, default, help text and choices of each line arrive, in order."""
    assert [p.name for p in DECLARED] == [
        "account", "limit", "share", "deep", "source", "extra", "mode",
    ]  # fmt: skip
    assert BY_NAME["extra"].default == {"a": [1, 2]}
    assert BY_NAME["account"].help == "A user id; a comment may say a=b, c=d."
    assert BY_NAME["mode"].choices == ("fast", "slow")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("x = 1", "is not a parameter"),
        ("import os", "is not a parameter"),
        ("x: Decimal = 1", "has type Decimal"),
        ("x: str | None = None", "has type str | None"),
        ("x: int", "has no default"),
        ("x: int = (\n    1)", "on its own line"),
        ("x: int = len('a')", "is not a literal"),
        ("x: int = 'a'", "takes int, not str"),
        ("x: str = 'a'  # One of: b, c.", "takes one of b, c"),
        ("db_password: str = ''", "looks like a credential"),
        ("x: int = ", "is not Python"),
    ],
)
def test_a_line_of_another_form_is_refused(line: str, says: str) -> None:
    """Whatever papermill would drop or mistake is an error that names the parameter or line."""
    with pytest.raises(ParameterError, match=says.replace("|", r"\|")):
        parse_parameters(f"# Parameters\n{line}\n")


def test_an_unknown_name_lists_the_known_ones() -> None:
    """A mistyped name never goes by as a warning."""
    with pytest.raises(ParameterError, match="no parameter 'acount'; it takes: account, limit"):
        check_values(DECLARED, {"acount": "a"})


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", True), ("limit", "10"), ("limit", 1.0), ("deep", 1), ("source", "a"),
     ("account", None), ("share", float("nan")), ("extra", [])],
)  # fmt: skip
def test_a_value_of_another_type_names_the_parameter(name: str, value: object) -> None:
    """A wrong type stops the run before anything is read."""
    with pytest.raises(ParameterError, match=f"parameter {name} takes {BY_NAME[name].annotation}"):
        check_value(BY_NAME[name], value)


def test_a_whole_number_is_a_float_where_one_is_wanted() -> None:
    """1 given for a float is 1.0; no other conversion is made."""
    assert check_value(BY_NAME["share"], 1) == 1.0
    assert isinstance(check_value(BY_NAME["share"], 1), float)


def test_what_looks_like_a_credential_is_refused_unquoted() -> None:
    """A key id in any value, however deep, is refused and not repeated in the message."""
    key = "AKIA" + "A" * 16
    with pytest.raises(ParameterError) as refused:
        check_value(BY_NAME["extra"], {"a": [key]})
    assert "credential" in str(refused.value)
    assert key not in str(refused.value)


def test_a_shell_gives_typed_values() -> None:
    """`name=value` texts become values of the declared types; only the first `=` separates."""
    texts = ["account=a=b", "limit=3", "share=0.25", "deep=yes", "source=a, b", 'extra={"b": 1}']
    assert values_from_text(DECLARED, texts) == {
        "account": "a=b", "limit": 3, "share": 0.25, "deep": True, "source": ["a", "b"],
        "extra": {"b": 1},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("limit", "write -p name=value"),
        ("limit=many", "takes int, not 'many'"),
        ("deep=perhaps", "takes bool"),
        ("extra=[1", "takes dict"),
        ("extra=[1]", "takes dict, not list"),
        ("mode=medium", "one of fast, slow"),
        ("nothing=1", "no parameter 'nothing'"),
    ],
)
def test_a_shell_text_that_does_not_fit_is_one_line(text: str, says: str) -> None:
    """Each misuse is one line that says which parameter and what it takes."""
    with pytest.raises(ParameterError, match=says) as refused:
        values_from_text(DECLARED, [text])
    assert "\n" not in str(refused.value)


def test_giving_a_name_twice_is_refused() -> None:
    """Two values for one name are a mistake, not a choice of the last."""
    with pytest.raises(ParameterError, match="limit is given twice"):
        values_from_text(DECLARED, ["limit=1", "limit=2"])


@given(st.text(), st.integers(), st.lists(st.text()))
def test_values_that_fit_come_back_unchanged(account: str, limit: int, source: list[str]) -> None:
    """Checking is the identity on values of the right types, credentials apart."""
    values = {"account": account, "limit": limit, "source": source}
    checked = check_values(DECLARED, values)
    assert {name: checked[name] for name in values} == values
    assert checked["mode"] == "fast"


def test_the_listing_names_every_parameter_with_its_help() -> None:
    """`opskit run NAME --parameters` shows default, type and help on a line each."""
    lines = parameters_text(DECLARED).splitlines()
    assert len(lines) == len(DECLARED)
    assert lines[1].split() == ["-p", "limit=10", "int", "How", "many."]


def test_the_hash_depends_on_values_alone() -> None:
    """The order in which parameters are given does not change the hash."""
    assert parameters_hash({"a": 1, "b": 2}) == parameters_hash({"b": 2, "a": 1})
    assert parameters_hash({"a": 1}) != parameters_hash({"a": "1"})


def test_an_empty_cell_declares_nothing() -> None:
    """A runbook without parameters takes none."""
    assert parse_parameters("# Parameters\n") == ()
    assert isinstance(DECLARED[0], Parameter)


def test_a_required_parameter_is_not_left_empty() -> None:
    """An empty default that must be replaced stops the run, with the help text."""
    declared = parse_parameters('account: str = ""  # A user id. Required.')
    assert check_values(declared, {"account": "a"}) == {"account": "a"}
    for values in ({}, {"account": "  "}):
        with pytest.raises(ParameterError, match="parameter account is empty; set it: A user id"):
            check_values(declared, values)


@pytest.mark.parametrize("text", ["7", "20261201", "2026-02-30", "soon", " ", "1790000000"])
def test_a_date_is_a_date(text: str) -> None:
    """A parameter that is said to be a date takes nothing else, so no run begins with one."""
    declared = parse_parameters('as_of: str = ""  # When. A UTC date or time.')
    with pytest.raises(ParameterError, match=r"parameter as_of is .*give YYYY-MM-DD"):
        values_from_text(declared, [f"as_of={text}"])
    for good in ("", "2026-12-01", "2026-12-01T10:00:00Z"):
        assert check_values(declared, {"as_of": good}) == {"as_of": good}


def test_paths_are_there(tmp_path: Path) -> None:
    """A parameter that is said to name paths takes only what is there, from the folder given."""
    declared = parse_parameters("source: list = []  # Files. Existing paths.")
    (tmp_path / "items.jsonl").touch()
    require_paths(declared, {"source": ["items.jsonl"]}, tmp_path)
    require_paths(declared, {"source": []}, tmp_path)
    for wrong in ("nosuch", "", 7, "~nobody-of-this-name/x"):
        with pytest.raises(ParameterError, match="parameter source"):
            require_paths(declared, {"source": ["items.jsonl", wrong]}, tmp_path)
