"""What a browser asks: the body of `POST /chat`, checked, in Bedrock's form, however it came here."""

import json
from collections.abc import AsyncIterator
from typing import Any

from converse_handler.conversation import Message

MAX_BODY = 1_000_000  # bytes of a request


class Refused(Exception):
    """The request is not answered: the HTTP status, and what the caller did wrong."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def check_type(content_type: str) -> None:
    """Refuse what does not say that it is JSON. It also keeps forms of other sites out: they cannot say so
    without asking first."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "the content-type must be application/json")


def check_size(size: int) -> None:
    """Refuse a body of more bytes than anybody types."""
    if size > MAX_BODY:
        raise Refused(413, f"the body must not be larger than {MAX_BODY} bytes")


async def read_body(content_type: str, stream: AsyncIterator[bytes]) -> bytes:
    """The whole body of a request of that type; raises `Refused`."""
    check_type(content_type)
    body = b""
    async for piece in stream:
        body += piece
        check_size(len(body))
    return body


def conversation(body: bytes) -> list[Message]:
    """The request's messages; raises `Refused` for what is wrong with them."""
    try:
        messages = json.loads(body)["messages"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _wrong('the body must be JSON: {"messages": [{"role": "user", "content": "text"}]}') from None
    if not isinstance(messages, list) or not messages:
        raise _wrong("messages must be a list of at least one message")
    for place, message in enumerate(messages):
        _check(f"messages[{place}]", message, role=("user", "assistant")[place % 2])
    if len(messages) % 2 == 0:
        raise _wrong("the last message must be the user's")
    return [{"role": one["role"], "content": [{"text": one["content"]}]} for one in messages]


def _check(where: str, message: Any, role: str) -> None:
    if not isinstance(message, dict):
        raise _wrong(f"{where} must be an object with role and content")
    if message.get("role") != role:
        raise _wrong(f"{where}.role must be {role!r}: the roles take turns, and the user begins")
    content = message.get("content")
    if not isinstance(content, str) or not content.strip():
        raise _wrong(f"{where}.content must be a text that is not blank")


def _wrong(what: str) -> Refused:
    return Refused(400, what)
