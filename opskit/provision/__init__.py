"""Plans for the service's tables, and the only code that carries one out."""
