"""Every way to spoil an export, each with the fault it is and the object its error has to name."""

import gzip
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from opskit.read.export import ExportFault
from tests.captures import balance, entry
from tests.exports import ExportFolder, full_export

FIRST = "part0000abcdef.json.gz"
SECOND = "part0001abcdef.json.gz"
ITEMS = [balance("USER#a", owed_settled=45), *(entry("USER#a", n, 5) for n in range(9))]


def make(base: Path) -> ExportFolder:
    """A true export of ten items in three files and an empty one, not sealed yet."""
    return full_export(base, ITEMS)


@dataclass(frozen=True)
class Mutation:
    """A change to a true export, its fault and the object that the error has to name."""

    name: str
    fault: ExportFault
    names: str
    change: Callable[[ExportFolder], object]


def altered(name: str, edit: Callable[[bytes], bytes]) -> Callable[[ExportFolder], object]:
    """Seal the export, then edit a file of it."""

    def change(export: ExportFolder) -> None:
        export.seal()
        path = next(export.base.rglob(name))
        path.write_bytes(edit(path.read_bytes()))

    return change


def consistent(number: int, edit: Callable[[bytes], bytes]) -> Callable[[ExportFolder], object]:
    """Edit a data file and make the manifest hold the checksum of what it then is."""

    def change(export: ExportFolder) -> None:
        path = export.data / f"part{number:04d}abcdef.json.gz"
        path.write_bytes(edit(path.read_bytes()))
        export.rehash(number)
        export.seal()

    return change


def relined(edit: Callable[[list[bytes]], list[bytes]]) -> Callable[[ExportFolder], object]:
    """Edit the lines of the first data file, its checksum right, its itemCount as it was."""

    def repack(packed: bytes) -> bytes:
        return gzip.compress(b"".join(edit(gzip.decompress(packed).splitlines(keepends=True))))

    return consistent(0, repack)


def summarised(**members: object) -> Callable[[ExportFolder], object]:
    """Set members of the summary."""

    def change(export: ExportFolder) -> None:
        export.summary |= members
        export.seal()

    return change


def listed(number: int = 0, **members: object) -> Callable[[ExportFolder], object]:
    """Set members of one file's line in the manifest; the sum stays what it was."""

    def change(export: ExportFolder) -> None:
        total = sum(file["itemCount"] for file in export.files)
        export.files[number] |= members
        export.seal(count=total)

    return change


def written(stem: str, edit: Callable[[bytes], bytes]) -> Callable[[ExportFolder], object]:
    """Edit a manifest and give it a true checksum."""

    def change(export: ExportFolder) -> None:
        export.seal()
        export.write_manifest(stem, edit((export.root / f"{stem}.json").read_bytes()))

    return change


def removed(*names: str) -> Callable[[ExportFolder], object]:
    """Remove files of the sealed export."""

    def change(export: ExportFolder) -> None:
        export.seal()
        for name in names:
            next(export.base.rglob(name)).unlink()

    return change


def flipped(packed: bytes) -> bytes:
    """One bit of the middle turned over."""
    middle = len(packed) // 2
    return packed[:middle] + bytes([packed[middle] ^ 1]) + packed[middle + 1 :]


def wrong_trailer(packed: bytes) -> bytes:
    """Another CRC32 at the end of the gzip data."""
    return packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]


def swap_checksums(export: ExportFolder) -> None:
    """Give two files each other's MD5."""
    one, two = export.files[0], export.files[1]
    one["md5Checksum"], two["md5Checksum"] = two["md5Checksum"], one["md5Checksum"]
    export.seal()


def swap_files(export: ExportFolder) -> None:
    """Give two files each other's content."""
    export.seal()
    one, two = export.data / FIRST, export.data / SECOND
    kept = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(kept)


def shift_counts(export: ExportFolder) -> None:
    """Count one item of the first file as the second's: the sum is right."""
    export.files[0]["itemCount"] -= 1
    export.files[1]["itemCount"] += 1
    export.seal()


def repeat_file(export: ExportFolder) -> None:
    """Name a file twice and its items too."""
    export.files.append(dict(export.files[0]))
    export.seal()


def repeat_key(export: ExportFolder) -> None:
    """Put an item of the first file into one more file."""
    line = gzip.decompress((export.data / FIRST).read_bytes()).splitlines(keepends=True)[1]
    export.add("repeated.json.gz", [line])
    export.seal()


def extra_file(export: ExportFolder) -> None:
    """Leave a file beside those of the manifest."""
    export.seal()
    (export.data / "zextra.json.gz").write_bytes(gzip.compress(b"{}\n"))


def emptied(export: ExportFolder) -> None:
    """Cut a file to nothing."""
    export.seal()
    (export.data / FIRST).write_bytes(b"")


def piped(export: ExportFolder) -> None:
    """Put a pipe, at which a reader would wait for ever, in the place of a file."""
    export.seal()
    (export.data / FIRST).unlink()
    os.mkfifo(export.data / FIRST)
    # A pipe has no size; the manifest must not give it away first.
    export.files[0]["itemCount"] = 0
    export.seal()


def bomb(export: ExportFolder) -> None:
    """A gigabyte of one letter in a megabyte, as one item of a few hundred bytes."""
    packer = gzip.zlib.compressobj(9, wbits=31)  # type: ignore[attr-defined]
    letters = b"a" * (1 << 20)
    content = b"".join(packer.compress(letters) for _ in range(256)) + packer.flush()
    export.add("bomb.json.gz", [b"1"], packed=content)
    export.seal()


def key_of(export: ExportFolder, spelled: str) -> None:
    """Spell the key of the first file another way."""
    export.files[0]["dataFileS3Key"] = spelled
    export.seal()


def spelled(text: str) -> Callable[[ExportFolder], object]:
    """A key as the manifest must not spell it; {id} is the export's, {name} the file's."""
    return lambda export: key_of(export, text.format(id=export.id, name=FIRST))


def mark(content: bytes) -> bytes:
    """The bytes after a byte-order mark."""
    return b"\xef\xbb\xbf" + content


def without_key(lines: list[bytes]) -> list[bytes]:
    """The lines, the first one's item without its sort key."""
    return [lines[0].replace(b'"sk":', b'"sort":'), *lines[1:]]


SUMMARY, FILES = "manifest-summary.json", "manifest-files.json"
F = ExportFault
MUTATIONS = [
    Mutation("bit flip", F.FILE_ALTERED, FIRST, altered(FIRST, flipped)),
    Mutation("cut file", F.FILE_ALTERED, FIRST, altered(FIRST, lambda b: b[:-9])),
    Mutation("appended byte", F.FILE_ALTERED, FIRST, altered(FIRST, lambda b: b + b"\0")),
    Mutation("files swapped", F.FILE_ALTERED, "part000", swap_files),
    Mutation("checksums swapped", F.FILE_ALTERED, "part000", swap_checksums),
    Mutation("emptied file", F.FILE_EMPTY, FIRST, emptied),
    Mutation("missing file", F.FILE_MISSING, FIRST, removed(FIRST)),
    Mutation("extra file", F.FILE_EXTRA, "zextra.json.gz", extra_file),
    Mutation("pipe", F.FILE_UNREADABLE, FIRST, piped),
    Mutation("gzip cut", F.GZIP_CUT, FIRST, consistent(0, lambda b: b[:-9])),
    Mutation("trailer cut", F.GZIP_CUT, FIRST, consistent(0, lambda b: b[:-1])),
    Mutation("trailer wrong", F.GZIP_DAMAGED, FIRST, consistent(0, wrong_trailer)),
    Mutation("not gzip", F.GZIP_DAMAGED, FIRST, consistent(0, gzip.decompress)),
    Mutation("gzip followed", F.GZIP_FOLLOWED, FIRST, consistent(0, lambda b: b + b"more")),
    Mutation("gzip bomb", F.INFLATED, "bomb.json.gz", bomb),
    Mutation("line too many", F.LINE_COUNT, FIRST, relined(lambda x: [*x, x[0]])),
    Mutation("line too few", F.LINE_COUNT, FIRST, relined(lambda x: x[1:])),
    Mutation("counts shifted", F.LINE_COUNT, "part000", shift_counts),
    Mutation("broken line", F.LINE, FIRST, relined(lambda x: [x[0][:-9] + b"\n", *x[1:]])),
    Mutation("blank line", F.LINE, FIRST, relined(lambda x: [b"\n", *x[1:]])),
    Mutation("no item", F.LINE, FIRST, relined(lambda x: [b'{"Thing":{}}\n', *x[1:]])),
    Mutation("item beside", F.LINE, FIRST, relined(lambda x: [x[0][:-1] + x[1], *x[1:]])),
    Mutation("item and more", F.LINE, FIRST, relined(lambda x: [b'{"A":1,' + x[0][1:], *x[1:]])),
    Mutation("split line", F.LINE, FIRST, relined(lambda x: [x[0][:8] + b"\n", x[0][8:], *x[2:]])),
    Mutation("array for item", F.LINE, FIRST, relined(lambda x: [b"[]\n", *x[1:]])),
    Mutation("no sort key", F.KEY_MISSING, FIRST, relined(without_key)),
    Mutation("text for item", F.KEY_MISSING, FIRST, relined(lambda x: [b'{"Item":7}\n', *x[1:]])),
    Mutation("repeated line", F.KEY_REPEATED, FIRST, relined(lambda x: [x[1], *x[1:]])),
    Mutation("key in two files", F.KEY_REPEATED, FIRST, repeat_key),
    Mutation("summary count", F.COUNT_SUM, FILES, lambda e: e.seal(count=11)),
    Mutation("file count", F.COUNT_SUM, FILES, listed(itemCount=5)),
    Mutation("negative file count", F.NEGATIVE, FILES, listed(itemCount=-4)),
    Mutation("negative summary", F.NEGATIVE, SUMMARY, lambda e: e.seal(count=-1)),
    Mutation("count not a number", F.NOT_A_MANIFEST, FILES, listed(itemCount="4")),
    Mutation("count not whole", F.NOT_A_MANIFEST, FILES, listed(itemCount=4.5)),
    Mutation("checksum of nothing", F.CHECKSUM_FORM, FILES, listed(md5Checksum="abc")),
    Mutation("file named twice", F.KEY_TWICE, FILES, repeat_file),
    Mutation("key upwards", F.KEY_OUTSIDE, FILES, spelled("AWSDynamoDB/{id}/data/../{name}")),
    Mutation("key far up", F.KEY_OUTSIDE, FILES, spelled("../../etc/{name}")),
    Mutation("key absolute", F.KEY_OUTSIDE, FILES, spelled("/AWSDynamoDB/{id}/data/{name}")),
    Mutation("key of bucket", F.KEY_OUTSIDE, FILES, spelled("s3://o/AWSDynamoDB/{id}/data/{name}")),
    Mutation("key of export", F.KEY_OUTSIDE, FILES, spelled("AWSDynamoDB/other/data/{name}")),
    Mutation("key of prefix", F.KEY_OUTSIDE, FILES, spelled("x/AWSDynamoDB/{id}/data/{name}")),
    Mutation("key deeper", F.KEY_OUTSIDE, FILES, spelled("AWSDynamoDB/{id}/data/a/{name}")),
    Mutation("key with NUL", F.KEY_OUTSIDE, FILES, spelled("AWSDynamoDB/{id}/data/\0{name}")),
    Mutation("key empty", F.KEY_OUTSIDE, FILES, spelled("AWSDynamoDB/{id}/data/")),
    Mutation("summary altered", F.MANIFEST_ALTERED, SUMMARY, altered(SUMMARY, lambda b: b + b" ")),
    Mutation("files altered", F.MANIFEST_ALTERED, FILES, altered(FILES, lambda b: b + b"\n")),
    Mutation(
        "checksum file garbled",
        F.CHECKSUM_FORM,
        "manifest-files.checksum",
        altered("manifest-files.checksum", lambda _: b"\xff\xfe"),
    ),
    Mutation("no checksum", F.CHECKSUM_MISSING, FILES, removed("manifest-files.checksum")),
    Mutation("no summary sum", F.CHECKSUM_MISSING, SUMMARY, removed("manifest-summary.checksum")),
    Mutation("no files manifest", F.MANIFEST_MISSING, FILES, removed(FILES)),
    Mutation("summary marked", F.BYTE_ORDER_MARK, SUMMARY, written("manifest-summary", mark)),
    Mutation("files marked", F.BYTE_ORDER_MARK, FILES, written("manifest-files", mark)),
    Mutation(
        "summary no JSON", F.NOT_A_MANIFEST, SUMMARY, written("manifest-summary", lambda b: b[1:])
    ),
    Mutation("files no JSON", F.NOT_A_MANIFEST, FILES, written("manifest-files", lambda _: b"x\n")),
    Mutation("other export", F.OTHER_EXPORT, SUMMARY, summarised(manifestFilesS3Key="a/b")),
    Mutation("Ion", F.FORMAT, SUMMARY, summarised(outputFormat="ION")),
    Mutation("filtered", F.FILTERED, SUMMARY, summarised(filterSpecification={"a": "b"})),
    Mutation("no instant", F.NOT_A_MANIFEST, SUMMARY, summarised(exportTime=None)),
    Mutation("no ARN", F.NOT_A_MANIFEST, SUMMARY, summarised(exportArn="arn")),
    Mutation(
        "other table",
        F.OTHER_TABLE,
        SUMMARY,
        summarised(tableArn="arn:aws:dynamodb:eu-central-1:123456789012:table/other"),
    ),
]
