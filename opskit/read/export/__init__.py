"""DynamoDB's exports to S3: verified to the last byte and key, then read into a snapshot.

A full export is the table at one instant. An incremental one is the net change of each key in a
window: the sum of changes is not the table, so it is only ever applied to a full export.
"""

from opskit.read.export.faults import ExportFault
from opskit.read.export.place import Place, locate_export
from opskit.read.export.reading import read_export

__all__ = ["ExportFault", "Place", "locate_export", "read_export"]
