"""Drift explained: which postings were missed or repeated, to the cent, or left unexplained."""

from opskit.audit.explain.classes import FaultClass
from opskit.audit.explain.drift import explain_drift
from opskit.audit.explain.findings import explain_findings
from opskit.audit.explain.rows import AccountBooks, Entry, Payment, Rail, WebhookTimes

__all__ = [
    "AccountBooks",
    "Entry",
    "FaultClass",
    "Payment",
    "Rail",
    "WebhookTimes",
    "explain_drift",
    "explain_findings",
]
