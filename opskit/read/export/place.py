"""Finding the export that a person means by a folder or an s3:// address."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from opskit.aws import Connection
from opskit.errors import InputError
from opskit.read.export.faults import ExportFault, faulty
from opskit.read.export.store import Address, FolderAddress, Store
from opskit.read.export.summary import FILES, STARTED, SUMMARY

_ROOT = "AWSDynamoDB"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Place:
    """An export's folder, under the root where other exports may lie too."""

    address: Address
    folder: str


def locate_export(text: str, s3: Connection | None = None) -> Place:
    """The export in a folder or under an s3:// address: itself, or the only one below.

    `s3` says where S3 is; without it the SDK's own chain does.
    """
    if text.startswith("s3://"):
        return _in_bucket(text, s3 or Connection())
    if "://" in text:
        raise InputError(f"{text}: an export is read from a folder or from s3://BUCKET/PREFIX")
    path = Path(text).resolve()
    if _is_export(FolderAddress(path.parent).connect(), path.name):
        return Place(FolderAddress(path.parent), path.name)
    root = path / _ROOT if (path / _ROOT).is_dir() else path
    return _only(FolderAddress(root), text)


def bucket_and_prefix(text: str) -> tuple[str, str]:
    """The bucket and prefix of an s3:// address, without slashes at its ends."""
    parts = urlsplit(text)
    if parts.scheme != "s3" or not _BUCKET.fullmatch(parts.netloc) or parts.query or parts.fragment:
        raise InputError(f"{text} is not of the form s3://BUCKET/PREFIX")
    prefix = parts.path.strip("/")
    if any(part in {"", ".", ".."} for part in prefix.split("/")) and prefix:
        raise InputError(f"{text} has a prefix with an empty or dotted part")
    return parts.netloc, prefix


def _in_bucket(text: str, s3: Connection) -> Place:
    from opskit.read.export.s3 import S3Address

    bucket, prefix = bucket_and_prefix(text)
    parent, _, name = prefix.rpartition("/")
    if name and name != _ROOT:
        address = S3Address(s3, bucket, f"{parent}/" if parent else "")
        if _is_export(address.connect(), name):
            return Place(address, name)
    root = prefix if name == _ROOT else f"{prefix}/{_ROOT}".lstrip("/")
    return _only(S3Address(s3, bucket, f"{root}/"), text)


def _is_export(store: Store, folder: str) -> bool:
    if not folder:
        return False
    return not {SUMMARY, FILES, STARTED}.isdisjoint(store.listing(folder).files)


def _only(address: Address, text: str) -> Place:
    """The one export under a root; ExportError when there is none, or several."""
    store = address.connect()
    found = [name for name in store.listing("").folders if _is_export(store, name)]
    if not found:
        raise faulty(ExportFault.NO_EXPORT, text)
    if len(found) > 1:
        listed = ", ".join(sorted(found)[:5])
        raise faulty(ExportFault.SEVERAL, text, f"name one of {listed}")
    return Place(address, found[0])
