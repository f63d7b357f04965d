"""MD5 checksums as an export spells them: base64 or hex, alone or before a file's name."""

import base64
import binascii
import re

_HEX = re.compile(r"[0-9a-fA-F]{32}")


def md5_of(text: str) -> bytes | None:
    """The 16 bytes a checksum spells; None when it spells no MD5."""
    words = text.split()
    if not words:
        return None
    if _HEX.fullmatch(words[0]):
        return bytes.fromhex(words[0])
    try:
        digest = base64.b64decode(words[0], validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest if len(digest) == 16 else None
