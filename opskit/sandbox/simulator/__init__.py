"""A seeded simulator of the service's write orders, with faults at every write and the truth."""

from opskit.sandbox.simulator.faults import CLEAN, STORMY, FaultRates
from opskit.sandbox.simulator.history import (
    AS_OF,
    History,
    begin,
    go_on,
    history_of,
    item_of,
    simulate,
)
from opskit.sandbox.simulator.truth import InjectedFault, drift_of, faults_of
from opskit.sandbox.simulator.world import Flow, World

__all__ = [
    "AS_OF",
    "CLEAN",
    "STORMY",
    "FaultRates",
    "Flow",
    "History",
    "InjectedFault",
    "World",
    "begin",
    "drift_of",
    "faults_of",
    "go_on",
    "history_of",
    "item_of",
    "simulate",
]
