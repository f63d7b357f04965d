"""Verifying an evidence pack offline: every file, the root, and the chain of packs before it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from opskit.audit.pack import MANIFEST, PackManifest, file_digest
from opskit.errors import EXIT_CLEAN, EXIT_FINDINGS

CAVEAT = (
    "These hashes prove that the pack is as it was written, to whoever keeps the root elsewhere. "
    "A hash alone proves nothing against whoever can rewrite both the files and the manifest: "
    "keep the root where they cannot, or the pack in storage that cannot be overwritten."
)


@dataclass(frozen=True, slots=True)
class Verified:
    """What verifying a pack came to: its root, what differs, and what the chain says."""

    folder: Path
    root: str
    files: int
    differences: tuple[str, ...]
    chain: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 when nothing differs, 1 otherwise."""
        return EXIT_FINDINGS if self.differences else EXIT_CLEAN


def verify_pack(folder: Path, previous: Sequence[Path] = ()) -> Verified:
    """Hash a pack's files again and follow its chain through the previous packs, newest first.

    Raises CaptureError for a folder that is no pack.
    """
    manifest = PackManifest.read(folder)
    differences = list(_differences(folder, manifest))
    chain = []
    child, place = manifest, folder
    for path in previous:
        earlier = PackManifest.read(path)
        differences += _differences(path, earlier)
        if earlier.root == child.previous_root:
            chain.append(f"{place.name} names the root of {path.name}: {earlier.root}")
        else:
            named = child.previous_root or "none"
            differences.append(f"{path}: its root is {earlier.root}, {place.name} names {named}")
        child, place = earlier, path
    chain.append(_end_of_chain(place, child))
    return Verified(folder, manifest.root, len(manifest.files), tuple(differences), tuple(chain))


def _end_of_chain(place: Path, manifest: PackManifest) -> str:
    if not manifest.previous_root:
        return f"{place.name} is the first of its chain"
    root = manifest.previous_root
    return f"{place.name} names the root {root}; give that pack with --previous to follow it"


def _differences(folder: Path, manifest: PackManifest) -> Iterator[str]:
    """Each file that is not as the manifest says, and a manifest whose root is not its own."""
    if manifest.root != manifest.computed_root():
        yield f"{folder / MANIFEST}: the root does not follow from what it lists"
    present = set(_present(folder))
    for name, wanted in sorted(manifest.files.items()):
        path = folder / name
        if name not in present:
            yield f"{path}: is missing"
        elif path.is_symlink() or file_digest(path) != wanted:
            yield f"{path}: is not the file that was packed"
    for name in sorted(present - manifest.files.keys() - {MANIFEST}):
        yield f"{folder / name}: was not packed"


def _present(folder: Path) -> Iterable[str]:
    """The files in a pack's folder, by their paths; nothing outside it is ever looked at."""
    for path in folder.rglob("*"):
        if path.is_file() or path.is_symlink():
            yield path.relative_to(folder).as_posix()
