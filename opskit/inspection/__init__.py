"""What the live side is like, read-only."""
