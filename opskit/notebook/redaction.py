"""Credentials: how they are recognised, and how they are kept out of what a run leaves."""

import os
import re
from collections.abc import Mapping

SECRETS = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\b[rs]k_(?:live|test)_\w{8,}|\bwhsec_\w{8,}"
    r"|\bak_[0-9a-f]{32,}\b|(?<=Signature=)[0-9a-f]{64}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----)?"
)
"""The known forms: AWS and processor keys, the service's API keys, signatures, private keys."""

SECRET_NAME = re.compile(r"secret|token|passw|credential|access_key|private_key|api_key", re.I)
_VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")
SHORTEST_SECRET = 12
"""Shorter values of the credential variables are dummies, and words of ordinary text."""


def redacted(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """The text with credentials blanked: their known forms, and this environment's own."""
    for variable in _VARIABLES:
        value = environ.get(variable, "")
        if len(value) >= SHORTEST_SECRET:
            text = text.replace(value, "[redacted]")
    return SECRETS.sub("[redacted]", text)
