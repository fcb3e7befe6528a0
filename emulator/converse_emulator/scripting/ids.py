"""Identifiers in Bedrock's forms, drawn from a seeded stream of chance."""

import string
from base64 import b64encode, urlsafe_b64encode
from random import Random

_BASE62 = string.digits + string.ascii_letters
_BASE58 = "".join(each for each in _BASE62 if each not in "0OIl")
_VERSION_AND_VARIANT, _VERSION_4_OF_RFC_4122 = (0xF << 76) | (0b11 << 62), (4 << 76) | (0b10 << 62)


def request_id(rng: Random) -> str:
    """The value of `x-amzn-RequestId`: a lower-case random UUID."""
    return uuid(rng.getrandbits(128))


def uuid(drawn: int) -> str:
    """The random UUID that 128 bits make."""
    text = f"{_version_4(drawn):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def tool_use_id(rng: Random) -> str:
    """A `toolUseId` in the form in use since February 2026."""
    return "tooluse_" + "".join(rng.choices(_BASE62, k=22))


def server_tool_id(rng: Random) -> str:
    """A `toolUseId` in the form before that, which Nova's own tools still have: base64url of a UUID."""
    return "tooluse_" + urlsafe_b64encode(_version_4(rng.getrandbits(128)).to_bytes(16)).decode().rstrip("=")


def anthropic_tool_id(rng: Random) -> str:
    """The id of a tool call in Anthropic's own format, as Bedrock gives it."""
    return "toolu_bdrk_01" + "".join(rng.choices(_BASE58, k=22))


def message_id(rng: Random) -> str:
    """The id of a message in Anthropic's own format, as Bedrock gives it."""
    return "msg_bdrk_01" + "".join(rng.choices(_BASE58, k=22))


def chat_id(rng: Random) -> str:
    """The id of a chat completion."""
    return f"chatcmpl-{request_id(rng)}"


def call_id(rng: Random) -> str:
    """The id of a tool call in the chat completions format (inferred: its author's own form)."""
    return "call_" + "".join(rng.choices(_BASE62, k=24))


def vllm_tool_id(rng: Random) -> str:
    """The id of a tool call of an open model (inferred: the form of the usual server of such models)."""
    return f"chatcmpl-tool-{request_id(rng).replace('-', '')}"


def short_tool_id(rng: Random) -> str:
    """The id of a tool call of Mistral's (inferred: the form that its own API has)."""
    return "".join(rng.choices(_BASE62, k=9))


def signature(rng: Random) -> str:
    """What Claude signs its reasoning with: base64 of an opaque record, a few hundred characters."""
    return b64encode(b"\x12" + rng.randbytes(rng.randint(160, 320))).decode()


def _version_4(drawn: int) -> int:
    """A UUID. The library's own takes 4 ms to import."""
    return drawn & ~_VERSION_AND_VARIANT | _VERSION_4_OF_RFC_4122
