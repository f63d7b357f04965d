"""Where clients send, and whether that is this machine."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from opskit.aws.forms import endpoint_fault, is_loopback_host


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a client is to send; what is None is left to the SDK's chain.

    `connect_timeout` and `read_timeout`, in seconds, are for each try.
    """

    region: str | None = None
    endpoint_url: str | None = None
    profile: str | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 20.0


def is_loopback(url: str | None) -> bool:
    """Whether a usable endpoint is on this machine; None, the SDK's own choice, is not."""
    if url is None or endpoint_fault(url):
        return False
    return is_loopback_host(urlsplit(url).hostname or "")
