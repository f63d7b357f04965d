"""The Arrow schema of each kind of item, made from the data contract."""

import pyarrow as pa

from opskit.tables.items import COLUMNS, Form, KindName

_TYPES = {Form.TEXT: pa.string(), Form.WHOLE: pa.int64(), Form.FLAG: pa.bool_()}

KEY_FIELDS = (
    pa.field("layout", pa.string()),
    pa.field("account", pa.string()),
    pa.field("sk", pa.string()),
)
"""Every kind begins with the item's key: its layout, partition key value and sort key."""

TAIL_FIELDS = (
    pa.field("defects", pa.list_(pa.string())),
    pa.field("item", pa.string()),
)
"""Every kind ends with what is wrong with the item, and the item whole where that is needed.

`defects` is empty for a well-formed item; `item` is its DynamoDB JSON for an item with defects and
for the kinds `unmatched` and `unclassified`, and null otherwise.
"""


def schema_of(kind: KindName) -> pa.Schema:
    """The columns of a kind's table, in order."""
    columns = [pa.field(column.name, _TYPES[column.form]) for column in COLUMNS[kind]]
    return pa.schema([*KEY_FIELDS, *columns, *TAIL_FIELDS])


SCHEMAS: dict[KindName, pa.Schema] = {kind: schema_of(kind) for kind in KindName}

Batches = dict[KindName, pa.RecordBatch]
"""One Arrow batch for each kind that a page of items holds."""
