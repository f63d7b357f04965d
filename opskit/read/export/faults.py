"""What can be wrong with an export: each kind of failure by itself."""

from enum import StrEnum

from opskit.errors import ExportError


class ExportFault(StrEnum):
    """Why an export is not released, as the words that follow the name of the object at fault."""

    NO_EXPORT = "no DynamoDB export is there"
    SEVERAL = "several exports are there"
    CHECKSUM_MISSING = "its checksum file is missing"
    CHECKSUM_FORM = "holds no MD5 checksum in base64 or hex"
    MANIFEST_ALTERED = "does not match its checksum file"
    MANIFEST_MISSING = "is missing, though the export ended"
    BYTE_ORDER_MARK = "begins with a byte-order mark"
    NOT_A_MANIFEST = "is not a manifest of an export"
    NEGATIVE = "holds a negative count"
    TOO_LARGE = "is larger than any manifest opskit reads"
    FORMAT = "is of an export in another format than DYNAMODB_JSON"
    FILTERED = "is of a filtered export, which is not the whole table"
    OTHER_EXPORT = "belongs to another export"
    OTHER_TABLE = "is of another table"
    OTHER_BUCKET = "is of an export to another bucket or prefix"
    KEY_OUTSIDE = "names an object outside the data folder of the export"
    KEY_TWICE = "names an object twice"
    COUNT_SUM = "its files do not add up to the summary's itemCount"
    COUNT_SERVICE = "has another itemCount than DescribeExport"
    FILE_MISSING = "is missing, though the manifest names it"
    FILE_EXTRA = "lies in the data folder, but the manifest does not name it"
    FILE_EMPTY = "is empty, though the manifest gives it items"
    FILE_ALTERED = "does not match its MD5 checksum in the manifest"
    FILE_UNREADABLE = "cannot be read"
    GZIP_CUT = "is a gzip file cut short"
    GZIP_DAMAGED = "is not a sound gzip file"
    GZIP_FOLLOWED = "has other bytes after the end of its gzip data"
    INFLATED = "inflates to more than its items can be"
    LINE = "has a line that is not one item"
    LINE_COUNT = "has another number of lines than the manifest gives"
    KEY_MISSING = "has an item without the key of a billing table"
    KEY_REPEATED = "has an item whose key occurs again"
    INCREMENT_ALONE = "is an incremental export: changes, not the table"
    NOT_AN_INCREMENT = "is not an incremental export"
    NOT_A_BASE = "is not a full export to apply increments to"
    WINDOW_GAP = "begins after the export before it ends: changes are missing between them"
    WINDOW_OVERLAP = "begins before the export before it ends: a deletion could go unseen"


def faulty(fault: ExportFault, name: str, detail: str = "") -> ExportError:
    """The error for a fault of an object."""
    return ExportError(fault.value, name, detail)
