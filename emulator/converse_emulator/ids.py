"""Identifiers in Bedrock's forms, drawn from a seeded stream of chance."""

import string
from base64 import b64encode
from random import Random
from uuid import UUID

_BASE62 = string.digits + string.ascii_letters


def request_id(rng: Random) -> str:
    """The value of `x-amzn-RequestId`: a lower-case random UUID."""
    return str(UUID(int=rng.getrandbits(128), version=4))


def tool_use_id(rng: Random) -> str:
    """A `toolUseId` in the form in use since February 2026."""
    return "tooluse_" + "".join(rng.choices(_BASE62, k=22))


def signature(rng: Random) -> str:
    """What Claude signs its reasoning with: base64 of an opaque record, a few hundred characters."""
    return b64encode(b"\x12" + rng.randbytes(rng.randint(160, 320))).decode()
