"""Exports as a shell sees them: asked for at moto, read from a folder and from S3 on loopback."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from captures import balance, entry
from engines import REGION, Engine, clean_environment
from exports import BUCKET, EXPORT_TIME, ExportFolder, change_line, full_export, increment

from opskit.aws import EXPORT_OPERATIONS, READ_OPERATIONS, Connection, dynamodb_client, s3_client
from opskit.errors import WriteRefusedError
from opskit.read.export import locate_export, read_export

pytestmark = pytest.mark.engine

COMMAND = [sys.executable, "-c", "from opskit.cli import main; main()"]
ITEMS = [balance("USER#a", owed_settled=45), *(entry("USER#a", n, 5) for n in range(9))]


def opskit(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a verb to its end."""
    return subprocess.run(
        [*COMMAND, *words],
        env=clean_environment(BILLING_TABLE_NAME="x-billing", **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The last line of stderr of a verb that could not do it; nothing is on stdout."""
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("opskit: ")
    return last


@pytest.fixture
def s3(empty_moto: Engine) -> Iterator[Any]:
    """A plain client of moto's S3 with the bucket of exports, emptied afterwards."""
    client = boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=empty_moto.endpoint_url,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    client.create_bucket(Bucket=BUCKET)
    yield client
    for held in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        client.delete_object(Bucket=BUCKET, Key=held["Key"])
    client.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def billing(empty_moto: Engine) -> str:
    """The ARN of a billing table with point-in-time recovery."""
    client = empty_moto.client()
    made = client.create_table(
        TableName="x-billing",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    client.update_continuous_backups(
        TableName="x-billing",
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    return str(made["TableDescription"]["TableArn"])


def upload(client: Any, export: ExportFolder) -> None:
    """Put every file of an export into its bucket."""
    prefix = export.summary["s3Prefix"]
    for path in export.base.rglob("*"):
        if path.is_file():
            key = "/".join(filter(None, (prefix, path.relative_to(export.base).as_posix())))
            client.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())


def test_a_local_export_becomes_a_snapshot_and_an_audit(tmp_path: Path) -> None:
    """The books are judged as of the export's time unless another is given."""
    export = full_export(tmp_path / "s3", ITEMS).seal()
    taken = opskit("snapshot", "--from-export", str(export.base), "--out", str(tmp_path / "out"))
    assert taken.returncode == 0, taken.stderr
    assert "COMPLETE  10 items  export" in taken.stdout
    for words, as_of in (
        ((), EXPORT_TIME),
        (("--as-of", "2026-12-01"), datetime(2026, 12, 1, tzinfo=UTC)),
    ):
        done = opskit("audit", "--from-export", str(export.root), "--json", *words)
        report = json.loads(done.stdout)
        assert datetime.fromisoformat(report["as_of"]) == as_of
        assert report["examined"]["items"] == 10
    again = opskit("audit", str(tmp_path / "out"), "--json")
    assert datetime.fromisoformat(json.loads(again.stdout)["as_of"]) == EXPORT_TIME


def test_writes_of_just_before_the_export_are_not_faults(tmp_path: Path) -> None:
    """Half a transaction at the edge of an export is undecided, on whatever day it is audited."""
    ts = int(EXPORT_TIME.timestamp()) - 30
    torn = entry("USER#a", 0, 5)
    torn |= {"ts": {"N": str(ts)}, "sk": {"S": torn["sk"]["S"].replace("1770000000", str(ts), 1)}}
    export = full_export(tmp_path / "s3", [balance("USER#a"), torn]).seal()
    words = ("--check", "balances.stored_equals_entries", "--json")
    for as_of in ((), ("--as-of", "2026-12-01")):
        done = opskit("audit", "--from-export", str(export.root), *words, *as_of)
        assert json.loads(done.stdout)["verdict"] == "inconclusive"
        assert done.returncode == 3


def test_a_wrong_export_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    """Exit 2 for a fault, 3 for an export that has not ended; no folder in either case."""
    export = full_export(tmp_path / "s3", ITEMS).seal()
    out = tmp_path / "out"
    words = ("snapshot", "--from-export", str(export.root), "--out", str(out))
    (export.data / "part0001abcdef.json.gz").unlink()
    done = opskit(*words)
    assert done.returncode == 2
    assert "part0001abcdef.json.gz: is missing" in one_line(done)
    (export.root / "manifest-summary.json").unlink()
    done = opskit(*words)
    assert done.returncode == 3
    assert "has not ended" in one_line(done)
    assert not out.exists()


def test_increments_are_options_and_alone_they_are_refused(tmp_path: Path) -> None:
    """A full export is named with --from-export, each incremental one on it with --increment."""
    base = full_export(tmp_path / "s3", ITEMS).seal()
    one = increment(
        tmp_path / "s3",
        [change_line(balance("USER#b")), change_line(None, ITEMS[1])],
        export_id="01790000000001-00000001",
        since=EXPORT_TIME,
        until=EXPORT_TIME + timedelta(hours=1),
    ).seal()
    words = ["--from-export", str(base.root), "--increment", str(one.root)]
    done = opskit("snapshot", *words, "--out", str(tmp_path / "out"), "--json")
    assert json.loads(done.stdout)["items"] == 10
    assert "changes are not the table" in one_line(opskit("audit", *words[2:]))
    done = opskit("audit", "--from-export", str(one.root))
    assert "changes, not the table" in one_line(done)
    assert done.returncode == 2


@pytest.mark.parametrize("prefix", [None, "nightly/full"])
def test_an_export_is_read_from_s3(
    tmp_path: Path, empty_moto: Engine, s3: Any, prefix: str | None
) -> None:
    """By its own address, and by the prefix it was exported to; its bytes are checked there too."""
    export = full_export(tmp_path / "s3", ITEMS, prefix=prefix).seal()
    upload(s3, export)
    root = f"s3://{BUCKET}/{prefix}" if prefix else f"s3://{BUCKET}"
    for number, address in enumerate((root, f"{root}/AWSDynamoDB/{export.id}/")):
        words = ("--from-export", address, "--endpoint-url", empty_moto.endpoint_url)
        done = opskit("snapshot", *words, "--out", str(tmp_path / str(number)), "--json")
        assert done.returncode == 0, done.stderr
        manifest = json.loads(done.stdout)
        assert manifest["items"] == 10
        assert manifest["source"]["name"].startswith(f"s3://{BUCKET}/")
    key = export.files[0]["dataFileS3Key"]
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"\x1f\x8b other bytes")
    done = opskit(
        *("snapshot", "--from-export", root, "--out", str(tmp_path / "bad")),
        AWS_ENDPOINT_URL_S3=empty_moto.endpoint_url,
    )
    assert f"{key}: does not match its MD5" in one_line(done)
    assert not (tmp_path / "bad").exists()


def test_a_copy_in_another_bucket_is_refused(tmp_path: Path, empty_moto: Engine, s3: Any) -> None:
    """In S3 the manifest's bucket and prefix have to be the place that is read."""
    export = full_export(tmp_path / "s3", ITEMS)
    export.summary["s3Bucket"] = "another-bucket"
    upload(s3, export.seal())
    words = ("--from-export", f"s3://{BUCKET}", "--endpoint-url", empty_moto.endpoint_url)
    done = opskit("snapshot", *words, "--out", str(tmp_path / "out"))
    assert "another bucket or prefix" in one_line(done)
    assert done.returncode == 2


def test_a_bucket_that_is_not_there_is_one_line(tmp_path: Path, empty_moto: Engine) -> None:
    """The place is named."""
    words = ("--from-export", "s3://no-such-bucket/x", "--endpoint-url", empty_moto.endpoint_url)
    done = opskit("snapshot", *words, "--out", str(tmp_path / "out"))
    assert "s3://no-such-bucket" in one_line(done)
    assert done.returncode == 2


def test_the_client_of_s3_only_lists_and_reads(empty_moto: Engine, s3: Any) -> None:
    """A write is refused before anything is sent."""
    client: Any = s3_client(Connection(REGION, empty_moto.endpoint_url))
    with pytest.raises(WriteRefusedError):
        client.put_object(Bucket=BUCKET, Key="x", Body=b"x")
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)


def test_exporting_is_one_operation_more_than_reading(empty_moto: Engine, billing: str) -> None:
    """A client that reads cannot start an export."""
    assert {"ExportTableToPointInTime"} == EXPORT_OPERATIONS - READ_OPERATIONS
    client = dynamodb_client(empty_moto.connection)
    with pytest.raises(WriteRefusedError):
        client.export_table_to_point_in_time(TableArn=billing, S3Bucket=BUCKET)


def test_an_export_is_started_shown_and_awaited(empty_moto: Engine, s3: Any, billing: str) -> None:
    """The three verbs speak of the same export, with the address that --from-export takes."""
    where = ("--endpoint-url", empty_moto.endpoint_url, "--region", REGION, "--json")
    done = opskit("export", "start", "--s3", f"s3://{BUCKET}/nightly", *where)
    assert done.returncode == 0, done.stderr
    [started] = json.loads(done.stdout)["exports"]
    assert billing in started["arn"]  # moto spells an export's ARN in a way of its own
    assert started["address"].startswith(f"s3://{BUCKET}/nightly/AWSDynamoDB/")
    done = opskit("export", "wait", started["arn"], "--timeout", "60", *where)
    assert done.returncode == 0, done.stderr
    [ended] = json.loads(done.stdout)["exports"]
    assert (ended["arn"], ended["status"]) == (started["arn"], "COMPLETED")
    listed = json.loads(opskit("export", "status", *where).stdout)["exports"]
    assert started["arn"] in [state["arn"] for state in listed]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--s3", "bucket"), "s3://BUCKET/PREFIX"),
        (("--s3", "s3://bucket/x", "--incremental"), "--from goes with --incremental"),
        (("--s3", "s3://bucket/x", "--from", "2026-01-01"), "--from goes with --incremental"),
        (
            ("--s3", "s3://bucket/x", "--incremental", "--from", "2026-01-01"),
            "give --from and --to",
        ),
        (
            ("--s3", "s3://bucket", "--incremental", "--from", "2026-01-01", "--to", "2026-01-03"),
            "between 15 minutes and 24 hours",
        ),
        (("--s3", "s3://bucket/x", "--confirm", "1/x"), "is not 123456789012/us-east-1"),
    ],
)
def test_a_start_that_cannot_be_meant_is_refused(
    empty_moto: Engine, billing: str, words: tuple[str, ...], message: str
) -> None:
    """One line, exit 2, and no export of the table."""
    where = ("--endpoint-url", empty_moto.endpoint_url, "--region", REGION)
    asked = empty_moto.client()
    before = asked.list_exports(TableArn=billing)["ExportSummaries"]
    done = opskit("export", "start", *words, *where)
    assert message in one_line(done)
    assert done.returncode == 2
    assert asked.list_exports(TableArn=billing)["ExportSummaries"] == before


LARGE = """
from pathlib import Path
from opskit.read.export import crew, locate_export, read_export
crew.SMALL = 0
if __name__ == "__main__":
    read_export(locate_export({root!r}), Path({out!r}), workers=2)
"""


def large_export(base: Path) -> ExportFolder:
    """An export whose files take seconds."""
    items = [entry("USER#a", number, 5) for number in range(60_000)]
    return full_export(base, items, files=6).seal()


def processes_below(parent: int) -> list[int]:
    """The living processes that a process started."""
    listed = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(word) for word in listed.read_text().split()] if listed.exists() else []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_a_read_that_was_stopped(tmp_path: Path, how: signal.Signals) -> None:
    """After Ctrl-C no folder is left, after kill -9 none that is a snapshot; never a process."""
    export = large_export(tmp_path / "s3")
    out = tmp_path / "out"
    script = tmp_path / "reading.py"
    script.write_text(LARGE.format(root=str(export.root), out=str(out)))
    with subprocess.Popen([sys.executable, str(script)], stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not list(out.glob("*.parquet")) and time.monotonic() < deadline:
            time.sleep(0.02)
        children = processes_below(process.pid)
        assert children
        process.send_signal(how)
        process.wait(60)
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []
    assert not (out / "manifest.json").exists()
    assert how is signal.SIGKILL or not out.exists()


def test_processes_read_what_one_process_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same items, and a fault in one process is the read's own error."""
    monkeypatch.setattr("opskit.read.export.crew.SMALL", 0)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    export = full_export(tmp_path / "s3", ITEMS).seal()
    place = locate_export(str(export.root))
    assert read_export(place, tmp_path / "out", workers=2).manifest.items == 10
    path = export.data / "part0001abcdef.json.gz"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Exception, match=r"part0001abcdef.json.gz: does not match its MD5"):
        read_export(place, tmp_path / "again", workers=2)
    assert not (tmp_path / "again").exists()
