"""What tables there are to be, and what tables there are.

`opskit.tables.describe` reads live tables; it is imported by its own name, for it loads the SDK.
"""

from opskit.tables.catalog import catalogue
from opskit.tables.spec import Index, Key, Projection, TableSpec

__all__ = ["Index", "Key", "Projection", "TableSpec", "catalogue"]
