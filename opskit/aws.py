"""The one place that makes AWS clients."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a client is to send; what is None is left to the SDK's chain."""

    region: str | None = None
    endpoint_url: str | None = None
    profile: str | None = None


def endpoint_fault(url: str) -> tuple[str, str] | None:
    """What keeps a URL from being an endpoint, and what to do; None when nothing does."""
    form = "give http(s)://HOST:PORT"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is not a URL", form
    odd = any(character.isspace() or character == "\\" for character in url) or port == 0
    if odd or parts.scheme not in {"http", "https"} or not parts.hostname:
        return "is not a URL", form
    if parts.username is not None or parts.query or parts.fragment:
        return "holds more than a host, a port and a path", form
    if parts.scheme == "http" and not _is_loopback_host(parts.hostname):
        return "would send requests unencrypted to another machine", "use https, or a loopback host"
    return None


def is_loopback(url: str | None) -> bool:
    """Whether a usable endpoint is on this machine; None, the SDK's own choice, is not."""
    if url is None or endpoint_fault(url):
        return False
    return _is_loopback_host(urlsplit(url).hostname or "")


def _is_loopback_host(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
