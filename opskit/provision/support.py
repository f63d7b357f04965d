"""What an endpoint that only imitates DynamoDB cannot do, found out without writing."""

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from opskit.aws import is_loopback

_TIMEOUT_S = 5
_TTL_WRITE = "DynamoDB_20120810.UpdateTimeToLive"


def ttl_writable(endpoint_url: str) -> bool:
    """Whether the endpoint knows UpdateTimeToLive; AWS does and is not asked.

    A local engine is sent the operation's name with no table and no signature, so there is
    nothing it could change; only one that lacks the operation answers UnknownOperation.
    """
    if not is_loopback(endpoint_url):
        return True
    try:
        return "UnknownOperationException" not in _answer(endpoint_url)
    except (OSError, HTTPException):
        return True  # the client's own requests will say what is wrong with the endpoint


def _answer(endpoint_url: str) -> str:
    parts = urlsplit(endpoint_url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
    headers = {"X-Amz-Target": _TTL_WRITE, "Content-Type": "application/x-amz-json-1.0"}
    try:
        connection.request("POST", parts.path or "/", "{}", headers)
        return connection.getresponse().read(4096).decode(errors="replace")
    finally:
        connection.close()
