"""Increments applied to a full export: of each key, what the last of them left."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from opskit.read.export.changes import CHANGES
from opskit.read.export.faults import ExportFault, faulty
from opskit.read.export.summary import Export
from opskit.read.repeats import bounded_duckdb
from opskit.read.rowgroups import ROWS
from opskit.read.schema import SCHEMAS
from opskit.tables.items import KindName


def require_chain(exports: Sequence[tuple[str, Export]]) -> None:
    """Raise ExportError unless a full export comes first and increments without gap follow it.

    Each window has to begin at the very instant the one before ended: a key that was written and
    then deleted inside a window leaves no line there, so an overlap could keep a deleted item.
    """
    [(name, base), *increments] = exports
    if base.incremental:
        fault = ExportFault.NOT_A_BASE if increments else ExportFault.INCREMENT_ALONE
        detail = "give a full export with --from-export, and this one with --increment"
        raise faulty(fault, name, detail)
    end = base.until
    for name, increment in increments:
        if increment.since is None:
            raise faulty(ExportFault.NOT_AN_INCREMENT, name)
        if (increment.table_arn, increment.table_id) != (base.table_arn, base.table_id):
            raise faulty(ExportFault.OTHER_TABLE, name, increment.table_arn)
        if increment.since != end:
            gap = increment.since > end
            fault = ExportFault.WINDOW_GAP if gap else ExportFault.WINDOW_OVERLAP
            detail = f"{increment.since.isoformat()} against {end.isoformat()}"
            raise faulty(fault, name, detail)
        end = increment.until


def merge_increments(stages: Sequence[Path], out: Path) -> list[int]:
    """Write to `out` each stage's items that no later stage changed; how many each gave.

    The stages vanish.
    """
    given = [0] * len(stages)
    with bounded_duckdb() as db:
        for number, stage in enumerate(stages):
            later = [str(path) for s in stages[number + 1 :] for path in s.glob(f"{CHANGES}.*")]
            for kind in KindName:
                paths = sorted(str(path) for path in stage.glob(f"{kind}.*.parquet"))
                if paths:
                    target = out / f"{kind}.{number}.parquet"
                    given[number] += _write_unchanged(db, paths, later, target)
    for stage in stages:
        shutil.rmtree(stage)
    return given


def _write_unchanged(
    db: duckdb.DuckDBPyConnection, paths: list[str], later: list[str], target: Path
) -> int:
    """Write the rows whose keys are not among the later ones; how many they are."""
    schema = SCHEMAS[KindName(target.name.split(".")[0])]
    query = "SELECT * FROM read_parquet(?) AS items"
    if later:
        query += " ANTI JOIN read_parquet(?) AS later USING (layout, account, sk)"
    answer = db.sql(query, params=[paths, later] if later else [paths])
    reader: pa.RecordBatchReader = answer.to_arrow_reader(ROWS)
    rows = 0
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch.cast(schema))
            rows += int(batch.num_rows)
    return rows
