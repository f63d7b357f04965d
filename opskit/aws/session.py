"""Sessions and their credentials; a loopback endpoint never makes the SDK leave this machine."""

from typing import TYPE_CHECKING, Literal

from opskit.aws.connection import Connection, is_loopback

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config

_LOCAL_REGION = "us-east-1"
_LOCAL_KEY = "testing"
LOCAL_PROVIDER = "none needed (local engine)"
"""What stands for a credentials provider when a local engine is asked without credentials."""

_PROVIDERS_THAT_ONLY_READ = frozenset({"env", "shared-credentials-file", "config-file"})


def client_config(
    connection: Connection, workers: int, attempts: int, retry_mode: Literal["legacy", "standard"]
) -> "Config":
    """Deadlines, retries and a pool with a connection for every worker."""
    from botocore.config import Config

    return Config(
        connect_timeout=connection.connect_timeout,
        read_timeout=connection.read_timeout,
        max_pool_connections=max(workers, 1),
        retries={"mode": retry_mode, "total_max_attempts": attempts},
        tcp_keepalive=True,
        # None reads the proxies of the environment, which must not see loopback traffic.
        proxies={} if is_loopback(connection.endpoint_url) else None,
    )


def make_session(connection: Connection, *, raw_pages: bool = False) -> "boto3.Session":
    """Make a fresh session; for a loopback endpoint it has a region and credentials anyhow.

    With `raw_pages` its DynamoDB clients leave the items of a page as they came, where the SDK
    lets them.
    """
    import boto3
    from botocore.session import Session

    core = Session(profile=connection.profile)
    if raw_pages:
        from opskit.aws.raw import leave_pages_raw

        leave_pages_raw(core)
    if not is_loopback(connection.endpoint_url):
        return boto3.Session(botocore_session=core, region_name=connection.region)
    resolver = core.get_component("credential_provider")
    # The other providers ask the instance metadata, a container or an identity service.
    others = {p.METHOD for p in resolver.providers} - _PROVIDERS_THAT_ONLY_READ
    for method in others:
        resolver.remove(method)
    if core.get_credentials() is None:
        core.set_credentials(_LOCAL_KEY, _LOCAL_KEY)
    region = connection.region or core.get_config_variable("region") or _LOCAL_REGION
    return boto3.Session(botocore_session=core, region_name=region)


def provider_of(session: "boto3.Session") -> str | None:
    """The name of the session's credentials provider, None without credentials."""
    credentials = session.get_credentials()
    if credentials is None:
        return None
    return LOCAL_PROVIDER if credentials.method == "explicit" else credentials.method
