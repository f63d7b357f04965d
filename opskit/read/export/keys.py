"""Whether every key of an export occurs once, found in bounded memory."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from opskit.read.export.changes import CHANGES
from opskit.read.export.faults import ExportFault, faulty
from opskit.read.export.files import FileRead
from opskit.read.export.store import Store
from opskit.read.repeats import bounded_duckdb
from opskit.tables.items import KindName

_KEY = "layout, account, sk"


def require_unique(folder: Path, reads: Sequence[FileRead], store: Store) -> None:
    """Raise ExportError naming the files when a key occurs twice among those of a folder.

    The key itself, which tells an account, is not named.
    """
    with bounded_duckdb() as db:
        for name in (CHANGES, *KindName):
            paths = sorted(str(path) for path in folder.glob(f"{name}.*.parquet"))
            if paths:
                _require_unique(db, name, paths, (reads, store))


def _require_unique(
    db: duckdb.DuckDBPyConnection,
    name: str,
    paths: list[str],
    origin: tuple[Sequence[FileRead], Store],
) -> None:
    """Hashes first: only the rows of a hash that occurs twice are compared by their keys."""
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE suspects AS SELECT hash({_KEY}) AS key "
        "FROM read_parquet(?) GROUP BY 1 HAVING count(*) > 1",
        [paths],
    )
    twins = db.execute(
        f"""
        SELECT list((filename, file_row_number) ORDER BY filename, file_row_number)[:2]
        FROM read_parquet(?, filename = true, file_row_number = true)
        WHERE hash({_KEY}) IN (SELECT key FROM suspects)
        GROUP BY {_KEY} HAVING count(*) > 1 LIMIT 1""",
        [paths],
    ).fetchone()
    if twins is None:
        return
    reads, store = origin
    files = [_file_of(reads, name, Path(path), row) for path, row in twins[0]]
    where = "in itself" if files[0] == files[1] else f"in {store.shown(files[1])}"
    raise faulty(ExportFault.KEY_REPEATED, store.shown(files[0]), where)


def _file_of(reads: Iterable[FileRead], name: str, path: Path, row: int) -> str:
    """The data file that a row of a part's file came from: a part keeps the files' order."""
    part = int(path.name.split(".")[1])
    for read in reads:
        if read.part == part:
            row -= read.lines if name == CHANGES else read.rows.get(KindName(name), 0)
            if row < 0:
                return read.name
    return path.name
