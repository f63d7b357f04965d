"""Manifest-true exports of DynamoDB to S3, written to a folder: no emulator makes one."""

import base64
import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

TABLE_ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/billing"
TABLE_ID = "0c1b2a39-1111-4222-8333-444455556666"
BUCKET = "ledger-exports"
EXPORT_TIME = datetime(2026, 11, 20, 12, tzinfo=UTC)
EMPTY = gzip.compress(b"", mtime=0)

Item = Mapping[str, Any]


def stamp(instant: datetime) -> str:
    """An instant as manifests spell it."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def item_line(item: Item) -> bytes:
    """The line of a full export."""
    return json.dumps({"Item": item}, separators=(",", ":")).encode() + b"\n"


def change_line(
    new: Item | None, old: Item | None = None, *, micros: int = 1_790_000_000_000_000
) -> bytes:
    """The line of an incremental export: an insertion, an update, or (without new) a deletion."""
    image = new if new is not None else old
    assert image is not None
    keys = {name: image[name] for name in ("pk", "user_sub", "sk") if name in image}
    line: dict[str, Any] = {"Metadata": {"WriteTimestampMicros": {"N": str(micros)}}, "Keys": keys}
    if new is not None:
        line["NewImage"] = new
    if old is not None:
        line["OldImage"] = old
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


@dataclass
class ExportFolder:
    """An export on disk, and what its manifests are to say; `seal` writes them from it."""

    base: Path
    id: str
    summary: dict[str, Any]
    files: list[dict[str, Any]] = field(default_factory=list)
    checksum: str = ".checksum"
    spelling: str = "base64"

    @property
    def root(self) -> Path:
        """The folder that holds the manifests."""
        return self.base / "AWSDynamoDB" / self.id

    @property
    def data(self) -> Path:
        """The folder that holds the data files."""
        shared = self.summary.get("exportType") == "INCREMENTAL_EXPORT"
        return self.base / "AWSDynamoDB" / "data" if shared else self.root / "data"

    @property
    def prefix(self) -> str:
        """What the manifests' keys begin with."""
        given = self.summary["s3Prefix"]
        return f"{given}/AWSDynamoDB/" if given else "AWSDynamoDB/"

    def add(self, name: str, lines: Sequence[bytes], *, packed: bytes | None = None) -> Path:
        """Write a data file and note it for the manifest."""
        content = gzip.compress(b"".join(lines), 6, mtime=0) if packed is None else packed
        self.data.mkdir(parents=True, exist_ok=True)
        path = self.data / name
        path.write_bytes(content)
        key = self.prefix + self.data.relative_to(self.base / "AWSDynamoDB").as_posix()
        md5 = hashlib.md5(content)
        self.files.append(
            {
                "itemCount": len(lines),
                "md5Checksum": base64.b64encode(md5.digest()).decode(),
                "etag": f"{md5.hexdigest()}-1",
                "dataFileS3Key": f"{key}/{name}",
            }
        )
        return path

    def rehash(self, number: int) -> None:
        """Make the manifest hold the checksum of a data file as it now is."""
        name = self.files[number]["dataFileS3Key"].rpartition("/")[2]
        digest = hashlib.md5((self.data / name).read_bytes()).digest()
        self.files[number]["md5Checksum"] = base64.b64encode(digest).decode()

    def seal(self, *, count: int | None = None) -> "ExportFolder":
        """Write both manifests with their checksums; `count` instead of the files' sum."""
        if count is None:
            count = sum(file["itemCount"] for file in self.files)
        self.summary["itemCount"] = count
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "_started").touch()
        lines = "".join(json.dumps(file) + "\n" for file in self.files)
        self.write_manifest("manifest-files", lines.encode())
        self.write_manifest("manifest-summary", json.dumps(self.summary).encode())
        return self

    def write_manifest(self, stem: str, content: bytes) -> None:
        """Write a manifest and its checksum."""
        (self.root / f"{stem}.json").write_bytes(content)
        md5 = hashlib.md5(content)
        spelled = base64.b64encode(md5.digest()).decode()
        if self.spelling == "hex":
            spelled = f"{md5.hexdigest()}\n"
        (self.root / f"{stem}{self.checksum}").write_text(spelled)


def new_export(
    base: Path,
    *,
    export_id: str = "01790000000000-a1b2c3d4",
    until: datetime = EXPORT_TIME,
    since: datetime | None = None,
    prefix: str | None = None,
) -> ExportFolder:
    """An export without data files; with `since` an incremental one."""
    root = f"{prefix}/AWSDynamoDB/" if prefix else "AWSDynamoDB/"
    summary: dict[str, Any] = {
        "version": "2023-08-01" if since else "2020-06-30",
        "exportArn": f"{TABLE_ARN}/export/{export_id}",
        "startTime": stamp(until),
        "endTime": stamp(until),
        "tableArn": TABLE_ARN,
        "tableId": TABLE_ID,
        "exportTime": stamp(until),
        "s3Bucket": BUCKET,
        "s3Prefix": prefix,
        "s3SseAlgorithm": "AES256",
        "s3SseKmsKeyId": None,
        "manifestFilesS3Key": f"{root}{export_id}/manifest-files.json",
        "billedSizeBytes": 0,
        "itemCount": 0,
        "outputFormat": "DYNAMODB_JSON",
    }
    if since:
        del summary["exportTime"]
        summary |= {
            "exportType": "INCREMENTAL_EXPORT",
            "exportFromTime": stamp(since),
            "exportToTime": stamp(until),
            "outputView": "NEW_AND_OLD_IMAGES",
        }
    return ExportFolder(base, export_id, summary)


def full_export(base: Path, items: Iterable[Item], *, files: int = 3, **given: Any) -> ExportFolder:
    """A full export of items in several data files and one empty one, not sealed yet."""
    export = new_export(base, **given)
    lines = [item_line(item) for item in items]
    for number in range(files):
        export.add(f"part{number:04d}abcdef.json.gz", lines[number::files])
    export.add("partempty.json.gz", [], packed=EMPTY)
    return export


def increment(base: Path, lines: Sequence[bytes], **given: Any) -> ExportFolder:
    """An incremental export of lines in two data files, not sealed yet."""
    export = new_export(base, **given)
    for number in range(2):
        export.add(f"{export.id[-8:]}{number}.json.gz", lines[number::2])
    return export
