"""An evidence pack: a folder whose manifest names every file's hash and the pack before it."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

import msgspec

from opskit.audit.packed import packed_snapshot
from opskit.audit.pseudonyms import Pseudonyms
from opskit.errors import CaptureError, InputError, OpskitError
from opskit.read.snapshot import Snapshot

FORMAT = 1
KIND = "opskit evidence pack"
MANIFEST = "manifest.json"
SNAPSHOT = "snapshot"
REPORT = "report.json"
RUN = "run.json"


@dataclass(frozen=True, slots=True)
class PackedFile:
    """One file of a pack: its bytes and their SHA-256."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class PackManifest:
    """Every file of a pack under its path, the previous pack's root, and this pack's own.

    `root` is the SHA-256 over all the rest, so each root stands for every pack before it.
    `pseudonym_key` tells under which key accounts were renamed, "" when they were not.
    """

    files: dict[str, PackedFile]
    previous_root: str
    pseudonym_key: str
    root: str = ""
    kind: str = KIND
    format: int = FORMAT

    def computed_root(self) -> str:
        """The root that follows from everything else in the manifest."""
        return hashlib.sha256(canonical({**asdict(self), "root": ""})).hexdigest()

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The manifest of a pack's folder; CaptureError when the folder is no pack."""
        path = folder / MANIFEST
        try:
            manifest = msgspec.json.decode(path.read_bytes(), type=cls)
        except OSError as error:
            message = f"{folder} is not an evidence pack: {MANIFEST}: {error.strerror}"
            raise CaptureError(message) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CaptureError(f"{folder} is not an evidence pack: {path.name}: {error}") from None
        if manifest.kind != KIND or manifest.format != FORMAT:
            message = f"{folder} is a {manifest.kind} of format {manifest.format}"
            raise CaptureError(f"{message}; this opskit reads a {KIND} of format {FORMAT}")
        return manifest


def canonical(document: object) -> bytes:
    """A document as JSON in its one form: keys sorted, nothing between, ASCII."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False, default=str)
    return text.encode("ascii")


def file_digest(path: Path) -> PackedFile:
    """A file's size and SHA-256."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return PackedFile(digest, path.stat().st_size)


def require_absent(out: Path) -> None:
    """Raise InputError when a pack cannot be put at a path: a pack is never written over."""
    if out.exists() or out.is_symlink():
        raise InputError(f"--pack {out} exists already; name a new folder")
    if not out.absolute().parent.is_dir():
        raise InputError(f"--pack {out}: there is no folder {out.parent}; make it first")


def write_pack(
    out: Path,
    documents: Mapping[str, bytes],
    snapshot: Snapshot,
    *,
    previous: PackManifest | None = None,
    names: Pseudonyms | None = None,
) -> PackManifest:
    """Write documents and snapshot as a new pack, whole or not at all.

    With `names` the accounts in the snapshot are renamed; documents that name one are refused.
    """
    require_absent(out)
    _require_renamed(documents, names)
    partial = out.absolute().with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(mode=0o700)
        for name, content in documents.items():
            _write(partial / name, content)
        packed_snapshot(snapshot, partial / SNAPSHOT, names)
        manifest = _manifest(partial, previous, names)
        _write(partial / MANIFEST, json.dumps(asdict(manifest), indent=2, sort_keys=True).encode())
        _sync(partial)
        partial.rename(out)
    except OSError as error:
        message = f"--pack {out} cannot be written: {error.strerror}; nothing was left there"
        raise InputError(message) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return manifest


def _require_renamed(documents: Mapping[str, bytes], names: Pseudonyms | None) -> None:
    for name, content in documents.items():
        if names and names.found_in(content.decode("utf-8")):
            message = f"{name} still names an account, which --pseudonymise must not let through"
            raise OpskitError(f"{message}; no pack was made, please report it")


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Have a folder's entries on disk before it gets its name."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _manifest(
    folder: Path, previous: PackManifest | None, names: Pseudonyms | None
) -> PackManifest:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    unrooted = PackManifest(
        files={path.relative_to(folder).as_posix(): file_digest(path) for path in paths},
        previous_root=previous.root if previous else "",
        pseudonym_key=names.key_id if names else "",
    )
    return replace(unrooted, root=unrooted.computed_root())
