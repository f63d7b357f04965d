"""Who is asking, and why AWS could not be asked."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opskit.aws.connection import Connection, is_loopback
from opskit.aws.operations import enforce_allow_list
from opskit.aws.session import client_config, make_session, provider_of
from opskit.errors import AccessError, InputError, OpskitError, ReadError

if TYPE_CHECKING:
    import boto3


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose credentials these are; a local engine may know neither account nor principal."""

    account: str | None
    principal: str | None
    provider: str | None


_SIGN_IN = "sign in again, for example with `aws sso login`"
_CHOOSE = "set AWS_PROFILE or give --profile"
_REACH = "check the endpoint, the region and the network"

_SDK_ERRORS: Mapping[str, tuple[str, str]] = {
    "NoCredentialsError": ("no credentials were found", _CHOOSE),
    "PartialCredentialsError": ("the credentials are incomplete", _CHOOSE),
    "ProfileNotFound": ("there is no such profile", _CHOOSE),
    "ConfigParseError": ("the AWS configuration file cannot be read", "correct it"),
    "TokenRetrievalError": ("the sign-in has expired", _SIGN_IN),
    "UnauthorizedSSOTokenError": ("the sign-in has expired", _SIGN_IN),
    "SSOError": ("the sign-in cannot be used", _SIGN_IN),
    "LoginError": ("the sign-in cannot be used", _SIGN_IN),
    "CredentialRetrievalError": ("the credentials could not be fetched", _SIGN_IN),
    "NoRegionError": ("no region is set", "set AWS_REGION or give --region"),
    "InvalidRegionError": ("the region is not one", "correct AWS_REGION or --region"),
    "EndpointConnectionError": ("cannot connect", _REACH),
    "ConnectTimeoutError": ("no connection in time", _REACH),
    "ReadTimeoutError": ("no reply in time", _REACH),
    "SSLError": ("no trusted TLS connection", "check the endpoint and its certificate"),
    "ProxyConnectionError": ("the proxy cannot be reached", "check HTTPS_PROXY and NO_PROXY"),
    "ConnectionClosedError": ("the connection broke off", _REACH),
    "HTTPClientError": ("the request could not be sent", _REACH),
    "ConnectionError": ("cannot connect", _REACH),
}
_EXPIRED = ("the credentials have expired", _SIGN_IN)
_REFUSED = ("the credentials are not valid here", f"{_CHOOSE}, or sign in again")
_DENIED = ("not permitted", "ask for the permission")
_CODES: Mapping[str, tuple[str, str]] = {
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "RequestExpired": ("the request has expired", "check this machine's clock"),
    "RequestTimeTooSkewed": ("the request has expired", "check this machine's clock"),
    "UnrecognizedClientException": _REFUSED,
    "InvalidClientTokenId": _REFUSED,
    "InvalidSignatureException": _REFUSED,
    "SignatureDoesNotMatch": _REFUSED,
    "IncompleteSignature": _REFUSED,
    "MissingAuthenticationToken": _REFUSED,
    "MissingAuthenticationTokenException": _REFUSED,
    "AccessDenied": _DENIED,
    "AccessDeniedException": _DENIED,
    "OptInRequired": ("the account may not use the service", "enable it for the account"),
}


def access_error(error: Exception) -> AccessError | None:
    """One line for an error of the SDK that is about access, None for any other.

    What DynamoDB answers about the request itself (a missing table, an unknown operation, a
    throttle) is not about access.
    """
    response = getattr(error, "response", None)
    if isinstance(response, Mapping) and "Error" in response:
        return _refusal(response["Error"], getattr(error, "operation_name", "the operation"))
    for base in type(error).__mro__:
        if base.__name__ in _SDK_ERRORS and base.__module__.startswith("botocore"):
            return AccessError(_sdk_line(error, *_SDK_ERRORS[base.__name__]))
    return None


def service_error(error: Exception) -> OpskitError:
    """One line for any error of the SDK: about access, what was asked, or what was answered."""
    if type(error).__name__ == "ParamValidationError":
        return InputError(_invalid_line(error))
    response = getattr(error, "response", None) or {}  # a timeout's response is None
    code = response.get("Error", {}).get("Code") or type(error).__name__
    shown = re.sub(r"[^A-Za-z0-9.#]", "?", str(code))[:100]
    operation = getattr(error, "operation_name", "the request")
    return access_error(error) or ReadError(f"{operation}: DynamoDB answered {shown}; try again")


def _invalid_line(error: Exception) -> str:
    """What of a request the SDK would not send, without the value that was given."""
    report = str(getattr(error, "kwargs", {}).get("report", ""))
    named = re.search(r"parameter:? ([A-Za-z0-9_.\[\]]+)", report)
    which = named.group(1) if named else "what was given"
    return f"{which} is not what the service takes; correct it (nothing was sent)"


def _sdk_line(error: Exception, what: str, fix: str) -> str:
    known = getattr(error, "kwargs", {})
    which = known.get("endpoint_url") or known.get("profile") or known.get("provider") or ""
    shown = re.sub(r"//[^/@]*@", "//", str(which)).encode("unicode_escape").decode("ascii")
    return f"{what}{': ' if shown else ''}{shown[:200]}; {fix}"


def _refusal(error: Mapping[str, Any], operation: str) -> AccessError | None:
    known = _CODES.get(str(error.get("Code")))
    if known is None:
        return None
    what, fix = known
    action = re.search(r"perform: ([a-z0-9-]+:[A-Za-z]+)", str(error.get("Message", "")))
    which = action.group(1) if action and known is _DENIED else operation
    return AccessError(f"{what}: {which}; {fix}")


@contextmanager
def access_errors() -> Iterator[None]:
    """Turn the SDK's errors about access into AccessError; let every other one pass."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        known = access_error(error)
        if known is None:
            raise
        raise known from error


def caller_identity(connection: Connection) -> Identity:
    """Ask STS whose credentials these are; AccessError when there are none or STS refuses them.

    With a loopback endpoint STS is asked there and nowhere else; a local engine without STS
    leaves account and principal unknown.
    """
    local = is_loopback(connection.endpoint_url)
    with access_errors():
        session = make_session(connection)
        provider = provider_of(session)
        if not local:
            return _ask(session, connection, provider)
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        return _ask(session, connection, provider)
    except (BotoCoreError, ClientError, ResponseParserError):  # DynamoDB Local answers in JSON
        return Identity(None, None, provider)


def _ask(session: "boto3.Session", connection: Connection, provider: str | None) -> Identity:
    config = client_config(connection, 1, 2, "standard")
    local = is_loopback(connection.endpoint_url)
    endpoint_url = connection.endpoint_url if local else None
    client = session.client("sts", endpoint_url=endpoint_url, config=config)
    enforce_allow_list(client.meta.events, "sts", {"GetCallerIdentity"})
    reply = client.get_caller_identity()
    return Identity(reply.get("Account"), reply.get("Arn"), provider)
