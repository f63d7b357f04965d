"""What AWS would refuse, told from the form of a value alone, before anything is sent."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

Fault = tuple[str, str] | None
"""What is wrong with a value and what to do, or None; the value itself is never quoted."""


def name_fault(value: str) -> Fault:
    """Why DynamoDB would refuse this name of a table or an index."""
    if value.startswith("arn:"):
        return "is an ARN", "give the bare name"
    if not 3 <= len(value) <= 255:
        return f"has {len(value)} character{'s' * (len(value) != 1)}", "a name has 3 to 255"
    odd = re.search(r"[^A-Za-z0-9_.-]", value)
    if odd is None:
        return None
    code = f"U+{ord(odd.group()):04X}"
    return f"holds the character {code} at position {odd.start() + 1}", "use A-Z a-z 0-9 _ . -"


def attribute_fault(value: str) -> Fault:
    """Why DynamoDB would refuse this name of an attribute."""
    if 1 <= len(value.encode()) <= 255:
        return None
    return f"has {len(value.encode())} bytes", "an attribute name has 1 to 255"


def region_fault(value: str) -> Fault:
    """Why this is not the name of an AWS region."""
    known = re.fullmatch(r"[a-z]{2,5}(-[a-z]+)+-[0-9]{1,2}", value)
    return None if known else ("is not a region", "for example eu-central-1")


def endpoint_fault(url: str) -> Fault:
    """Why a client is not to send to this URL."""
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
    if parts.scheme == "http" and not is_loopback_host(parts.hostname):
        return "would send requests unencrypted to another machine", "use https, or a loopback host"
    return None


def is_loopback_host(host: str) -> bool:
    """Whether a host is this machine by its very name or number."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
