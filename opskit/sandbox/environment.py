"""The environment that points opskit, a notebook or a shell at a sandbox."""

import os
from collections.abc import Mapping
from pathlib import Path

from opskit.aws import Connection
from opskit.settings import Settings, load_settings
from opskit.tables.items import Layout

REGION = "us-east-1"
DUMMY = "testing"
"""Stands for both halves of the credentials: the engines take any, and these open nothing."""

TABLE_VARIABLES: Mapping[str, str] = {
    "DDB_SESSIONS_TABLE": "sessions",
    "DDB_TOTP_TABLE": "totp_devices",
    "DDB_SMS_TABLE": "sms_devices",
    "DDB_EMAIL_TABLE": "email_devices",
    "DDB_RECOVERY_TABLE": "recovery_codes",
    "API_KEYS_TABLE_NAME": "api_keys",
    "ALERTS_TABLE_NAME": "alerts",
    "ALERT_PREFS_TABLE_NAME": "alert_prefs",
    "BILLING_TABLE_NAME": "billing",
    "API_KEYS_USER_INDEX": "user_sub-index",
    "DDB_TTL_ATTR": "ttl_epoch",
}
"""What the tables are called in a sandbox; every variable is set, so that no `.env` is asked."""


def sandbox_environment(endpoint_url: str, *, layout: Layout = Layout.PK) -> dict[str, str]:
    """The variables that lead to a sandbox and to its nine tables."""
    return {
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint_url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": DUMMY,
        "AWS_SECRET_ACCESS_KEY": DUMMY,
        "AWS_EC2_METADATA_DISABLED": "true",
        "OPSKIT_BILLING_LAYOUT": layout.value,
        **TABLE_VARIABLES,
    }


def isolated_environment(
    environ: Mapping[str, str], variables: Mapping[str, str]
) -> dict[str, str]:
    """`environ` with the sandbox's variables in the place of everything of AWS and of `.env`.

    A profile or a session token of the person's own would be asked for beside the endpoint's.
    """
    kept = {name: value for name, value in environ.items() if not name.startswith("AWS_")}
    return {**kept, **variables, "OPSKIT_ENV_FILE": os.devnull}


def sandbox_settings(endpoint_url: str, *, layout: Layout = Layout.PK) -> Settings:
    """The settings of a sandbox, from its own variables and nothing else."""
    variables = sandbox_environment(endpoint_url, layout=layout)
    return load_settings(environ=variables, env_file=Path(os.devnull))


def sandbox_connection(endpoint_url: str) -> Connection:
    """Where clients of a sandbox are to send."""
    return Connection(region=REGION, endpoint_url=endpoint_url)
