"""The audit: checks as SQL over the books, and what they found as values."""
