"""Runbooks: what their cells call, their typed parameters, running them, the record of a run.

A runbook begins with

    from opskit import notebook as nb
    ops = nb.start("balance_audit", globals())
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opskit.notebook.operation import Operation

__all__ = ["start"]


def start(slug: str, names: Mapping[str, object]) -> "Operation":
    """Begin the runbook `slug` with the parameters found in `names`, a notebook's globals().

    Prints where reads go. Raises ParameterError and SettingsError before anything is read.
    """
    from opskit.notebook.operation import begin

    operation = begin(slug, names)
    print(operation.banner())  # a runbook's cells speak through their output
    return operation
