"""opskit: provision, prove and audit a service's DynamoDB tables, its ledger to the cent."""

__all__: list[str] = []
