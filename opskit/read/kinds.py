"""The kind of every item of a page at once: `tables.items.kind_of` over columns of keys."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from opskit.tables.items import (
    MARKER_PARTITIONS,
    PREFIXES,
    SINGLETONS,
    UNMATCHED_PARTITIONS,
    USER_PREFIX,
    KindName,
    Layout,
)

_MARKERS = pa.array(sorted(MARKER_PARTITIONS))
_UNMATCHED = pa.array(sorted(UNMATCHED_PARTITIONS))


def kind_masks(
    layout: Layout, accounts: pa.Array, sks: pa.Array
) -> Iterator[tuple[KindName, pa.Array]]:
    """Each kind that a page has, with a mask of its items; what no mask holds is unclassified."""
    known = pc.and_(accounts.is_valid(), sks.is_valid())
    markers = pc.and_(known, pc.is_in(accounts, _MARKERS))
    unmatched = pc.and_(known, pc.is_in(accounts, _UNMATCHED))
    people = pc.and_not(known, pc.or_(markers, unmatched))
    if layout is Layout.PK:
        people = pc.and_(people, pc.starts_with(accounts, USER_PREFIX))
    masks = [(KindName.MARKERS, markers), (KindName.UNMATCHED, unmatched)]
    masks += [
        (kind, pc.and_(people, pc.starts_with(sks, f"{prefix}#")))
        for prefix, kind in PREFIXES.items()
    ]
    masks += [(kind, pc.and_(people, pc.equal(sks, name))) for name, kind in SINGLETONS.items()]
    return ((kind, mask) for kind, mask in masks if pc.any(mask).as_py())
