"""Faults thrown at every way of reading, each run judged against what the table holds."""
