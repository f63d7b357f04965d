"""The ledger's rules over a snapshot: posting rules as data, views in SQL, statements."""
