"""The media type of a file, as its first bytes tell it."""

from base64 import b64decode
from binascii import Error as NotBase64

_LOOKED_AT = 512  # characters of base64
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
)


def detected(data: str) -> str | None:
    """The media type of base64; None for nothing, and for what is no base64."""
    try:
        start = b64decode(data[:_LOOKED_AT], validate=True)
    except NotBase64:
        return None
    if not start:
        return None
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image/webp"
    known = next((name for magic, name in _MAGIC if start.startswith(magic)), None)
    is_text = all(byte >= 32 or byte in b"\t\n\r" for byte in start)
    return known or ("text/plain" if is_text else "application/octet-stream")
