"""Benchmarks: run as `python -m tests.bench.<name>`, each prints a Markdown table."""
