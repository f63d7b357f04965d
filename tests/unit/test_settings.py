"""Settings are found in the right order, remember their origin, and are judged at once."""

import os
from pathlib import Path

import pytest

from opskit.aws import Connection, is_loopback
from opskit.errors import SettingsError
from opskit.settings import (
    LOGICAL_TABLES,
    VARIABLES,
    Layout,
    Settings,
    Source,
    load_settings,
    problems,
    require,
)

NINE = {
    "DDB_SESSIONS_TABLE": "sessions",
    "DDB_TOTP_TABLE": "totp",
    "DDB_SMS_TABLE": "sms",
    "DDB_EMAIL_TABLE": "email",
    "DDB_RECOVERY_TABLE": "recovery",
    "BILLING_TABLE_NAME": "billing",
}


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test works in a folder of its own, with no .env above it."""
    monkeypatch.chdir(tmp_path)


def texts(settings: Settings, *required: str) -> list[str]:
    """The problems as the person reads them."""
    return [str(problem) for problem in problems(settings, required=required or LOGICAL_TABLES)]


def test_strongest_source_wins_and_remembers_the_others(tmp_path: Path) -> None:
    """An argument beats the environment, which beats .env, and each is still named."""
    env_file = tmp_path / ".env"
    env_file.write_text("# names\n\nBILLING_TABLE_NAME=from_file\n")
    setting = load_settings(
        {"BILLING_TABLE_NAME": "from_argument"}, environ={"BILLING_TABLE_NAME": "from_environment"}
    ).value("BILLING_TABLE_NAME")
    assert (setting.value, setting.source) == ("from_argument", Source.ARGUMENT)
    assert [(o.source, o.value) for o in setting.shadowed] == [
        (Source.ENVIRONMENT, "from_environment"),
        (Source.ENV_FILE, "from_file"),
    ]
    assert setting.shadowed[1].where == f"{env_file}:3"


def test_defaults_fill_what_nothing_sets() -> None:
    """Without any source the defaults of the contract hold, and the rest is not set."""
    settings = load_settings(environ={})
    assert settings.table_names == {
        "api_keys": "api_keys",
        "alerts": "alerts",
        "alert_prefs": "alert_prefs",
    }
    assert settings.value("BILLING_TABLE_NAME").source is Source.UNSET
    assert settings.value("ALERTS_TABLE_NAME").source is Source.DEFAULT
    assert (settings.ttl_attribute, settings.user_index) == ("ttl_epoch", "user_sub-index")
    assert settings.billing_layout is Layout.PK
    assert settings.connection == Connection()


def test_env_file_is_found_from_a_folder_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearest .env from the working folder upwards is read."""
    (tmp_path / ".env").write_text("BILLING_TABLE_NAME=books")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    settings = load_settings(environ={})
    assert settings.table_names["billing"] == "books"
    assert settings.env_file == tmp_path / ".env"


def test_env_file_with_mark_returns_and_duplicates(tmp_path: Path) -> None:
    """A byte order mark, CRLF, quotes, export and duplicates are read; nothing is expanded."""
    raw = (
        b'\xef\xbb\xbfDDB_SMS_TABLE=first\r\nexport DDB_SMS_TABLE="second"\r\n'
        b"DDB_TTL_ATTR='${HOME}'\r\nDDB_TOTP_TABLE=\r\nnot a line\r\nDDB_EMAIL_TABLE"
    )
    path = tmp_path / "service.env"
    path.write_bytes(raw)
    settings = load_settings(environ={}, env_file=path)
    sms = settings.value("DDB_SMS_TABLE")
    assert (sms.value, sms.where) == ("second", f"{path}:2")
    assert sms.shadowed[0].where == f"{path}:1"
    assert settings.ttl_attribute == "${HOME}"
    assert settings.value("DDB_TOTP_TABLE").source is Source.UNSET
    assert path.read_bytes() == raw


def test_empty_value_counts_as_not_set_and_is_kept() -> None:
    """An empty variable neither sets nor hides anything, but is remembered."""
    setting = load_settings(environ={"ALERTS_TABLE_NAME": " "}).value("ALERTS_TABLE_NAME")
    assert (setting.value, setting.source) == ("alerts", Source.DEFAULT)
    assert [origin.source for origin in setting.empty] == [Source.ENVIRONMENT]


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such file"), ("BILLING=é".encode("utf-16"), "not UTF-8"), ("folder", "be read")],
)
def test_unreadable_env_file_is_one_line(
    tmp_path: Path, content: bytes | str | None, message: str
) -> None:
    """An explicit file that is missing, no text or a folder is an error that names it."""
    path = tmp_path / "given.env"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "folder":
        path.mkdir()
    with pytest.raises(SettingsError, match=message) as caught:
        load_settings(environ={}, env_file=path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_argument_is_refused() -> None:
    """A misspelt argument is an error, not a setting nobody reads."""
    with pytest.raises(SettingsError, match="BILING_TABLE"):
        load_settings({"BILING_TABLE": "books"}, environ={})


def test_nothing_is_written_to_the_environment(tmp_path: Path) -> None:
    """Loading a .env changes no process environment."""
    (tmp_path / ".env").write_text("OPSKIT_BILLING_LAYOUT=user_sub")
    before = dict(os.environ)
    assert load_settings(environ=os.environ).billing_layout is Layout.USER_SUB
    assert dict(os.environ) == before


def test_every_missing_name_is_listed_at_once() -> None:
    """One line names all six missing tables, and only what the work needs."""
    with pytest.raises(SettingsError) as caught:
        require(load_settings(environ={}), *LOGICAL_TABLES)
    assert all(name in str(caught.value) for name in NINE)
    assert "\n" not in str(caught.value)
    require(load_settings(environ={"BILLING_TABLE_NAME": "books"}), "billing")


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "x" * 256,
        "a b c",
        "a/b/c",
        "books\n",
        " books",
        "'books'",
        '"books',
        "b\u043e\u043eks",
        "books\uff11",
        "arn:aws:dynamodb:eu-central-1:111122223333:table/books",
        "book\x1b[31ms",
        "bo\0oks",
    ],
)
def test_names_dynamodb_would_refuse(name: str) -> None:
    """A bad name is one problem that says what is wrong without quoting the value."""
    found = texts(load_settings(environ=NINE | {"BILLING_TABLE_NAME": name}))
    assert len(found) == 1
    assert found[0].startswith("BILLING_TABLE_NAME ")
    assert found[0].isprintable()
    assert name.strip() not in found[0]


@pytest.mark.parametrize("name", ["abc", "x" * 255, "A.b-c_9"])
def test_names_dynamodb_takes(name: str) -> None:
    """The bounds of a name are taken."""
    assert texts(load_settings(environ=NINE | {"BILLING_TABLE_NAME": name})) == []


def test_two_tables_with_one_name() -> None:
    """Two logical tables may not share a name, a default included."""
    found = texts(load_settings(environ=NINE | {"DDB_SMS_TABLE": "alerts"}))
    assert found == [
        "ALERTS_TABLE_NAME names the same table as DDB_SMS_TABLE (give each table its own name)"
    ]


def test_audit_does_not_care_for_the_sign_in_tables() -> None:
    """What only other tables need is no problem of a billing audit."""
    environ = {"BILLING_TABLE_NAME": "books", "DDB_SMS_TABLE": "a b", "API_KEYS_USER_INDEX": "x"}
    assert texts(load_settings(environ=environ), "billing") == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AWS_REGION", "Frankfurt"),
        ("AWS_REGION", "eu-central-1a"),
        ("AWS_REGION", "eu_central_1"),
        ("AWS_DEFAULT_REGION", "local"),
        ("AWS_ENDPOINT_URL", "localhost:8000"),
        ("AWS_ENDPOINT_URL", "http://db.example.com:8000"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1.example.com"),
        ("AWS_ENDPOINT_URL", "http://user:word@127.0.0.1:8000"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:99999"),
        ("AWS_ENDPOINT_URL", "ftp://127.0.0.1"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:8000\\@example.com"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "https://"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://[::1"),
        ("DDB_TTL_ATTR", "x" * 256),
        ("API_KEYS_USER_INDEX", "ix"),
        ("OPSKIT_BILLING_LAYOUT", "both"),
        ("AWS_PROFILE", "'ops'"),
    ],
)
def test_other_values_that_cannot_be_used(variable: str, value: str) -> None:
    """Each is one problem of its own variable."""
    found = texts(load_settings(environ=NINE | {variable: value}))
    assert len(found) == 1
    assert found[0].startswith(f"{variable} ")


@pytest.mark.parametrize(
    "region", ["us-east-1", "us-gov-west-1", "eusc-de-east-1", "ap-southeast-5"]
)
def test_regions_of_every_partition(region: str) -> None:
    """The names of regions of all partitions are taken."""
    assert texts(load_settings(environ=NINE | {"AWS_REGION": region})) == []


def test_a_local_engine_takes_any_region() -> None:
    """A loopback endpoint needs no real region."""
    environ = NINE | {"AWS_REGION": "local", "AWS_ENDPOINT_URL": "http://localhost:8000"}
    assert texts(load_settings(environ=environ)) == []


def test_connection_prefers_the_specific_variable() -> None:
    """DynamoDB's own endpoint and AWS_REGION come before the general ones."""
    environ = {
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:2",
        "AWS_PROFILE": "ops",
    }
    expected = Connection("eu-west-1", "http://127.0.0.1:1", "ops")
    assert load_settings(environ=environ).connection == expected


def test_a_wrong_layout_is_an_error_even_unasked() -> None:
    """Reading the layout of settings nobody judged still refuses a wrong one."""
    with pytest.raises(SettingsError, match="OPSKIT_BILLING_LAYOUT"):
        _ = load_settings(environ={"OPSKIT_BILLING_LAYOUT": "ccbill"}).billing_layout


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:8000", True),
        ("https://localhost", True),
        ("http://ddb.localhost:4566", True),
        ("http://0.0.0.0:8000", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1@example.com", False),
        ("https://dynamodb.eu-central-1.amazonaws.com", False),
        ("127.0.0.1:8000", False),
        (None, False),
    ],
)
def test_what_is_loopback(url: str | None, expected: object) -> None:
    """Only an endpoint that names this machine is loopback."""
    assert is_loopback(url) is expected


def test_variables_are_declared_once() -> None:
    """Eighteen variables, nine of them tables, no name twice."""
    names = [variable.name for variable in VARIABLES]
    assert len(names) == len(set(names)) == 18
    assert len(LOGICAL_TABLES) == 9


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ({}, None),
        ({"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000"}, "http://127.0.0.1:8000"),
        ({"AWS_ENDPOINT_URL_DYNAMODB": "https://vpce-1.example.com"}, None),
        ({"AWS_ENDPOINT_URL": "http://localhost:1"}, "http://localhost:1"),
        (
            {"AWS_ENDPOINT_URL_S3": "http://localhost:2", "AWS_ENDPOINT_URL": "http://localhost:1"},
            "http://localhost:2",
        ),
    ],
)
def test_s3_is_on_this_machine_where_dynamodb_is(given: dict[str, str], endpoint: str) -> None:
    """Its own endpoint first, then the common one; beside a local DynamoDB never AWS's."""
    found = load_settings(environ=given, env_file=Path(os.devnull))
    assert found.s3_connection.endpoint_url == endpoint


@pytest.mark.parametrize("line", ['ALERTS_TABLE_NAME="secret', "secret line", "ALERTS_TABLE_NAME"])
def test_a_line_that_sets_nothing_is_named_and_not_shown(tmp_path: Path, line: str) -> None:
    """A line that cannot be read stops every use: the default would stand for what it meant."""
    path = tmp_path / "service.env"
    path.write_text(f"# names\n\nBILLING_TABLE_NAME=books\n{line}\n# the end\n")
    settings = load_settings(environ=NINE, env_file=path)
    wanted = f"{path}:4 is not NAME=value (unbalanced quote?)"
    assert texts(settings, "billing") == [wanted]
    with pytest.raises(SettingsError) as caught:
        require(settings)
    assert wanted in str(caught.value)
    assert "secret" not in str(caught.value)


def test_comments_and_blank_lines_are_no_fault(tmp_path: Path) -> None:
    """What a .env file may hold beside settings is passed over."""
    path = tmp_path / "service.env"
    path.write_text("# a 'comment\n\n  \nexport BILLING_TABLE_NAME='x' # more \"\nOTHER=\n")
    settings = load_settings(environ={}, env_file=path)
    assert settings.value("BILLING_TABLE_NAME").value == "x"
    assert settings.unreadable == ()
