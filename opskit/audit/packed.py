"""The snapshot as a pack keeps it: without payloads, cards and labels, maybe under pseudonyms."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from opskit.audit.pseudonyms import Pseudonyms
from opskit.read.schema import SCHEMAS, Batches
from opskit.read.snapshot import Snapshot, SnapshotWriter
from opskit.tables.items import COLUMNS, KindName

DROPPED = frozenset({"label", "last4"})
"""What people write and what cards bear: no check needs it, no pack holds it."""

KEPT = frozenset(
    {
        *(column.path[-1] for columns in COLUMNS.values() for column in columns),
        *("pk", "user_sub", "sk", "event_type", "transactionId", "subscriptionId"),
    }
    - DROPPED
)
"""The attributes whose values stay in an item that is kept whole as JSON; the rest is left out."""

LEFT_OUT = "(left out)"


def packed_snapshot(snapshot: Snapshot, out: Path, names: Pseudonyms | None) -> Snapshot:
    """Write the snapshot anew as a pack keeps it."""
    manifest = snapshot.manifest
    with SnapshotWriter(out, unique=True) as writer:  # copies were settled when they were read
        for batches in _batches(snapshot, names):
            writer.write("packed", batches)
        source = manifest.source
        if names:
            source = replace(
                source,
                name=names.text(source.name),
                partition=names.text(source.partition),
                inputs={names.text(name): digest for name, digest in source.inputs.items()},
            )
        return writer.finish(
            source,
            started=datetime.fromisoformat(manifest.started),
            ended=datetime.fromisoformat(manifest.ended),
            capacity_units=manifest.capacity_units,
        )


def _batches(snapshot: Snapshot, names: Pseudonyms | None) -> Iterator[Batches]:
    for kind in KindName:
        for path in snapshot.files(kind):
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches():
                    yield {kind: _packed(kind, batch, names)}


def _packed(kind: KindName, batch: pa.RecordBatch, names: Pseudonyms | None) -> pa.RecordBatch:
    columns = [_column(field, batch, names) for field in SCHEMAS[kind]]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMAS[kind])


def _column(field: pa.Field, batch: pa.RecordBatch, names: Pseudonyms | None) -> pa.Array:
    if field.name in DROPPED or field.name not in batch.schema.names:
        return pa.nulls(batch.num_rows, field.type)
    array = batch[field.name]
    if field.name == "item":
        return pa.array([_item(text, names) for text in array.to_pylist()], field.type)
    if names is None or not _holds_text(field.type):
        return array
    if pa.types.is_list(field.type):
        values = [_replaced(field.name, value, names) for value in array.to_pylist()]
        return pa.array(values, field.type)
    encoded = array.dictionary_encode()
    texts = [_replaced(field.name, text, names) for text in encoded.dictionary.to_pylist()]
    return pa.array(texts, field.type).take(encoded.indices)


def _holds_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_list(type_))


def _replaced(name: str, value: object, names: Pseudonyms) -> object:
    return None if value is None else names.value(name, value)


def _item(text: str | None, names: Pseudonyms | None) -> str | None:
    """An item's JSON with what no check knows left out."""
    if text is None:
        return None
    try:
        item = json.loads(text)
    except ValueError:
        return json.dumps(LEFT_OUT)
    kept = _kept(item, "")
    replaced = names.value("", kept) if names else kept
    return json.dumps(replaced, ensure_ascii=False, sort_keys=True)


def _kept(value: object, name: str) -> object:
    """A value of the item in DynamoDB JSON, `name` being the attribute it is of."""
    if isinstance(value, Mapping):
        types = value.keys() & {"S", "N", "B", "SS", "NS", "BS"}
        if types and name not in KEPT:
            return dict.fromkeys(sorted(types), LEFT_OUT)
        inner = len(value) == 1 and next(iter(value)) in ("M", "L", "S", "N", "BOOL", "NULL")
        return {one: _kept(held, name if inner else one) for one, held in value.items()}
    if isinstance(value, list):
        return [_kept(held, name) for held in value]
    return value if name in KEPT or isinstance(value, bool | None) else LEFT_OUT
