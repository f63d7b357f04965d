"""Runbooks: what their cells call, their typed parameters, running them, the record of a run.

A runbook begins with

    from opskit import notebook as nb
    ops = nb.start("balance_audit", globals())
"""

from opskit.notebook.operation import Operation, start

__all__ = ["Operation", "start"]
