"""Reading from S3 where it refuses or breaks off."""

import io
from typing import Any

import pytest
from botocore.exceptions import ClientError, IncompleteReadError

from opskit.errors import ExportError
from opskit.errors import IncompleteReadError as UnknownReadError
from opskit.read.export.s3 import S3Store
from opskit.read.export.store import read_object

KEY_ARN = "arn:aws:kms:eu-central-1:123456789012:key/0c1b2a39-1111-4222-8333-444455556666"


class Breaking:
    """A body that gives some bytes and then breaks off."""

    def __init__(self, content: bytes) -> None:
        self.content = io.BytesIO(content)

    def read(self, size: int) -> bytes:
        """The bytes there are, then the SDK's error."""
        part = self.content.read(min(size, 4))
        if part:
            return part
        raise IncompleteReadError(actual_bytes=4, expected_bytes=9)

    def close(self) -> None:
        """End it."""


class Objects:
    """A client of S3 whose answers are bodies or errors, and that keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, str]] = []

    def get_object(self, **asked: str) -> dict[str, Any]:
        """The next answer."""
        self.asked.append(asked)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"ETag": '"version"', "Body": answer}


def refusal(code: str, message: str = "") -> ClientError:
    """An error that S3 answers with."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "GetObject")


def test_a_download_that_breaks_off_is_read_on_from_there() -> None:
    """The rest is asked for by its range, and only of the same version of the object."""
    client = Objects(Breaking(b"abcd"), io.BytesIO(b"efghi"))
    assert read_object(S3Store(client, "bucket", "p/"), "x", 100) == b"abcdefghi"
    assert client.asked[1] == {
        "Bucket": "bucket",
        "Key": "p/x",
        "Range": "bytes=4-",
        "IfMatch": '"version"',
    }


def test_a_download_that_always_breaks_off_ends() -> None:
    """Five times, then it is an error that names the object."""
    client = Objects(*(Breaking(b"") for _ in range(9)))
    with pytest.raises(Exception, match="s3://bucket/p/x"):
        read_object(S3Store(client, "bucket", "p/"), "x", 100)
    assert len(client.asked) == 5


def test_a_refusal_leaves_the_export_unknown_and_names_the_key() -> None:
    """What may not be read is not empty: exit 3, with the object and the key of KMS."""
    said = f"User is not authorized to perform: kms:Decrypt on resource: {KEY_ARN} because"
    client = Objects(refusal("AccessDenied", said))
    with pytest.raises(UnknownReadError, match="UNKNOWN") as caught:
        read_object(S3Store(client, "bucket", "p/"), "x", 100)
    assert "s3://bucket/p/x" in str(caught.value)
    assert KEY_ARN in str(caught.value)
    assert caught.value.exit_code == 3


def test_an_object_that_is_not_there_is_missing() -> None:
    """It is named."""
    client = Objects(refusal("NoSuchKey"))
    with pytest.raises(ExportError, match="s3://bucket/p/x: is missing"):
        read_object(S3Store(client, "bucket", "p/"), "x", 100)
