"""Doctor tells where settings come from and what answers, with a real engine and without."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from moto.server import ThreadedMotoServer

from opskit.cli.doctor import doctor
from opskit.inspection.doctor import Diagnosis, Health, Reading, diagnose
from opskit.settings import load_settings
from tests.garbage_server import Answer, garbage_server
from tests.unit.test_settings import NINE

CLOSED = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own configuration reaches a test."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "DDB_", "BILLING_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """The endpoint of a real moto server."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def diagnosis_of(endpoint: str | None = None, **more: str) -> Diagnosis:
    """The diagnosis of nine sound names and an endpoint."""
    given = {"AWS_ENDPOINT_URL": endpoint} if endpoint else {}
    return diagnose(load_settings(environ=NINE | given | more))


def reading(diagnosis: Diagnosis, subject: str) -> Reading:
    """The reading of one subject."""
    return next(r for r in (*diagnosis.settings, *diagnosis.access) if r.subject == subject)


def run(*arguments: str, **environ: str) -> Result:
    """Run the verb as a shell would."""
    return CliRunner().invoke(doctor, list(arguments), env=environ)


def test_all_is_well_with_a_local_engine(moto: str) -> None:
    """Nine names and a running engine pass, with the engine's account."""
    diagnosis = diagnosis_of(moto)
    assert (diagnosis.health, diagnosis.exit_code) == (Health.PASS, 0)
    assert reading(diagnosis, "endpoint").value == moto
    assert reading(diagnosis, "region").value == "us-east-1"
    assert reading(diagnosis, "account").value == "123456789012"
    assert reading(diagnosis, "reachability").health is Health.PASS


def test_closed_port_fails_and_is_named() -> None:
    """An endpoint where nobody listens fails; who would answer is unknown, not unsupported."""
    diagnosis = diagnosis_of(CLOSED)
    assert diagnosis.exit_code == 2
    assert CLOSED in reading(diagnosis, "reachability").note
    assert reading(diagnosis, "account").health is Health.UNKNOWN


def test_engine_without_sts_is_unsupported() -> None:
    """An engine that answers DynamoDB but no STS says nothing about accounts, and that is fine."""
    with garbage_server(Answer.SOUND) as server:
        diagnosis = diagnosis_of(server.url)
    assert reading(diagnosis, "account").health is Health.UNSUPPORTED
    assert diagnosis.exit_code == 0


def test_garbage_endpoint_fails() -> None:
    """A server that answers 200 with an HTML page is no DynamoDB."""
    with garbage_server(Answer.HTML) as server:
        diagnosis = diagnosis_of(server.url)
    assert reading(diagnosis, "reachability").health is Health.FAIL
    assert diagnosis.exit_code == 2


def test_no_credentials_for_aws_fails_without_asking_for_tables() -> None:
    """Without region nothing is asked, and the line says what to set."""
    diagnosis = diagnosis_of()
    assert "AWS_REGION" in reading(diagnosis, "access").note
    assert diagnosis.exit_code == 2


def test_wrong_endpoint_is_not_asked() -> None:
    """An endpoint that is no endpoint is never contacted, and its value is not shown."""
    diagnosis = diagnosis_of("http://user:word@db.example.com")
    assert reading(diagnosis, "access").health is Health.UNKNOWN
    assert reading(diagnosis, "AWS_ENDPOINT_URL").value == "(not shown)"
    assert diagnosis.exit_code == 2


def test_origins_and_surprises_are_told(moto: str, tmp_path: Path) -> None:
    """The table says which file and line a value came from, what it hides, what stood empty."""
    env_file = tmp_path / ".env"
    env_file.write_text("DDB_SMS_TABLE=other\nALERTS_TABLE_NAME=warnings\n")
    result = run(**NINE, ALERTS_TABLE_NAME="", AWS_ENDPOINT_URL=moto)
    assert result.exit_code == 0
    shown = " ".join(result.stdout.split())
    assert f"ALERTS_TABLE_NAME warnings env file ({env_file}:2)" in shown
    assert f"hides another value in env file {env_file}:1" in result.stdout
    assert "empty, so not used, in the environment" in result.stdout


def test_values_gone_astray_are_not_shown(moto: str) -> None:
    """What does not look like a name may be a secret; it stays out of both outputs."""
    astray = "gone/astray+and=lost"
    environ = NINE | {"BILLING_TABLE_NAME": astray, "AWS_ENDPOINT_URL": moto}
    for arguments in ((), ("--json",)):
        result = run(*arguments, **environ)
        assert result.exit_code == 2
        assert astray not in result.output
        assert "BILLING_TABLE_NAME" in result.output


def test_json_is_one_document(moto: str) -> None:
    """The document holds every variable and every reading with its outcome."""
    result = run("--json", "--endpoint-url", moto, **NINE)
    document = json.loads(result.stdout)
    assert document["outcome"] == "pass"
    assert len(document["settings"]) == 18
    assert {reading["outcome"] for reading in document["access"]} == {"pass"}
    endpoint = next(s for s in document["settings"] if s["value"] == moto)
    assert endpoint["source"] == "argument"


def test_terminal_escapes_are_spelled_out(moto: str) -> None:
    """A value that carries a terminal escape is shown as text."""
    result = run(**NINE, DDB_TTL_ATTR="ttl\x1b[2Jepoch", AWS_ENDPOINT_URL=moto)
    assert "\x1b" not in result.stdout
    assert r"ttl\x1b[2Jepoch" in result.stdout


def test_a_line_of_the_env_file_that_cannot_be_read_fails(tmp_path: Path) -> None:
    """The line is a row that fails, its content stays hidden, and nothing is asked of AWS."""
    (tmp_path / ".env").write_text('BILLING_TABLE_NAME="secret\n')
    diagnosis = diagnose(load_settings(environ=NINE))
    line = reading(diagnosis, f"{tmp_path / '.env'}:1")
    assert (line.health, line.note) == (Health.FAIL, "is not NAME=value: unbalanced quote?")
    assert reading(diagnosis, "access").health is Health.UNKNOWN
    shown = run()
    assert shown.exit_code == 2
    assert "secret" not in shown.output


def test_an_installation_without_the_compiled_reader_says_so(
    moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing fails without it; it is said that reading is slower, and what to do."""
    monkeypatch.setattr("opskit.inspection.doctor.find_spec", lambda _: None)
    diagnosis = diagnosis_of(moto)
    found = reading(diagnosis, "reader")
    assert (found.value, found.health) == ("not compiled", Health.UNSUPPORTED)
    assert "C compiler" in found.note
    assert diagnosis.health is Health.PASS
