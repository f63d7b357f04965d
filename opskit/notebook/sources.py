"""Where a runbook's books come from: a snapshot's folder, captures, or the live billing table."""

from collections.abc import Sequence
from pathlib import Path

from opskit.aws import dynamodb_client
from opskit.errors import InputError
from opskit.read.capture import read_captures
from opskit.read.scan import snapshot_account, snapshot_table
from opskit.read.snapshot import Snapshot, open_snapshot
from opskit.settings import Settings, require


def stored_snapshot(paths: Sequence[Path], out: Path) -> Snapshot:
    """The snapshot in the one folder named, or a new one of the capture files named."""
    folders = [path for path in paths if path.is_dir()]
    if folders and len(paths) > 1:
        message = f"{folders[0]} is a folder among {len(paths)} sources"
        raise InputError(f"{message}; name one snapshot folder, or capture files only")
    return open_snapshot(folders[0]) if folders else read_captures(paths, out)


def live_snapshot(settings: Settings, out: Path, *, account: str = "") -> Snapshot:
    """A new snapshot of the live billing table, or of one account's partition of it."""
    require(settings, "billing")
    client = dynamodb_client(settings.connection)
    name = settings.table_names["billing"]
    if account:
        return snapshot_account(client, name, account, out)
    return snapshot_table(client, name, out)
