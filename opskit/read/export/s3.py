"""Exports in S3: objects listed and read, a broken download read on from where it broke."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError

from opskit.aws import Connection, s3_client, service_error
from opskit.errors import IncompleteReadError as UnknownReadError
from opskit.errors import OpskitError
from opskit.read.export.faults import ExportFault, faulty
from opskit.read.export.store import Listing, Store, Stream

_ABSENT = {"NoSuchKey", "NoSuchBucket", "404"}
_DENIED = {"AccessDenied", "AccessDeniedException", "403"} | {
    f"KMS.{name}" for name in ("DisabledException", "KMSInvalidStateException", "NotFoundException")
}
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class S3Address:
    """A prefix of a bucket that holds exports' folders."""

    connection: Connection
    bucket: str
    prefix: str

    def connect(self) -> Store:
        """The store of objects there, with a client of its own."""
        return S3Store(s3_client(self.connection), self.bucket, self.prefix)


@dataclass(frozen=True, slots=True)
class S3Store:
    """Objects under a prefix of a bucket."""

    client: Any
    bucket: str
    prefix: str

    def shown(self, name: str) -> str:
        """The object's URL."""
        return f"s3://{self.bucket}/{self.prefix}{name}"

    def listing(self, folder: str) -> Listing:
        """What lies under a folder's name, up to the next slash."""
        start = f"{self.prefix}{folder.rstrip('/')}/" if folder else self.prefix
        request = {"Bucket": self.bucket, "Prefix": start, "Delimiter": "/"}
        files: dict[str, int] = {}
        folders: list[str] = []
        try:
            for page in self.client.get_paginator("list_objects_v2").paginate(**request):
                for held in page.get("Contents", ()):
                    files[held["Key"].removeprefix(start)] = held["Size"]
                found = (p["Prefix"] for p in page.get("CommonPrefixes", ()))
                folders += [name.removeprefix(start).rstrip("/") for name in found]
        except (BotoCoreError, ClientError) as error:
            raise s3_error(error, self.shown(folder)) from None
        files.pop("", None)  # the marker some tools make for a folder
        return Listing(files, tuple(folders))

    @contextmanager
    def open(self, name: str) -> Iterator[Stream]:
        """The object's bytes; ExportError when it is not there."""
        stream = _Download(self.client, self.bucket, f"{self.prefix}{name}")
        try:
            yield stream
        except (BotoCoreError, ClientError) as error:
            raise s3_error(error, self.shown(name)) from None
        finally:
            stream.close()


@dataclass(slots=True)
class _Download:
    """One object's bytes; what breaks off is asked for again from there, of the same version."""

    client: Any
    bucket: str
    key: str
    position: int = 0
    etag: str = ""
    failures: int = 0
    body: Any = field(default=None)

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes more; nothing at the end."""
        while True:
            try:
                part: bytes = self._opened().read(size)
            except (IncompleteReadError, HTTPClientError):
                self.close()
                self.failures += 1
                if self.failures == _ATTEMPTS:
                    raise
                continue
            self.position += len(part)
            return part

    def _opened(self) -> Any:
        if self.body is None:
            request = {"Bucket": self.bucket, "Key": self.key}
            if self.etag:
                request |= {"Range": f"bytes={self.position}-", "IfMatch": self.etag}
            reply = self.client.get_object(**request)
            self.etag, self.body = reply["ETag"], reply["Body"]
        return self.body

    def close(self) -> None:
        if self.body is not None:
            self.body.close()
            self.body = None


def s3_error(error: Exception, name: str) -> OpskitError:
    """One line for an error of S3 about an object; a refusal leaves the export UNKNOWN."""
    answer = getattr(error, "response", {}).get("Error", {})
    code = str(answer.get("Code", ""))
    if code in _ABSENT:
        return faulty(ExportFault.FILE_MISSING, name)
    if code in _DENIED:
        key = re.search(r"arn:aws[a-z-]*:kms:[A-Za-z0-9:/_-]+", str(answer.get("Message", "")))
        which = f" (key {key.group()})" if key else ""
        message = f"{name}: S3 did not permit reading it{which}; the export is UNKNOWN"
        return UnknownReadError(f"{message}: ask for s3:GetObject, s3:ListBucket and kms:Decrypt")
    known = service_error(error)
    return type(known)(f"{name}: {str(known).replace('DynamoDB', 'S3')}")
