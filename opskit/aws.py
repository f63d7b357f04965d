"""The one place that makes AWS clients."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a client is to send: region, endpoint and profile; None leaves it to the SDK's chain."""

    region: str | None = None
    endpoint_url: str | None = None
    profile: str | None = None
