"""The web application: `POST /chat`, the chat page, `/health` and `/metrics`."""

import json
from pathlib import Path
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from converse_handler.bridge import Bedrock, connect
from converse_handler.conversation import Answer, Message
from converse_handler.demo_tools import DEMO_TOOLS
from converse_handler.metrics import Metrics, Record
from converse_handler.settings import Settings
from converse_handler.stream import EventStream
from converse_handler.tools import Tools

MAX_BODY = 1_000_000  # bytes of a request
STATIC = Path(__file__).parent / "static"


def create_app(settings: Settings, client: Any = None, tools: Tools = DEMO_TOOLS) -> Starlette:
    """The application. `client` is a boto3 bedrock-runtime client; None makes one from the environment.

    A client of your own should not retry (`total_max_attempts=1`): the handler does it, where it is safe.
    """
    bedrock = Bedrock(connect(settings) if client is None else client)
    metrics = Metrics()

    async def chat(request: Request) -> ASGIApp:
        answer = Answer(conversation(await _body(request)), bedrock, tools, settings)
        return EventStream(
            answer.events(),
            Record(answer, metrics),
            heartbeat=settings.heartbeat,
            patience=settings.between_bytes_timeout,
        )

    async def measured(_request: Request) -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/chat", chat, methods=["POST"]),
            Route("/health", _health),
            Route("/metrics", measured),
            Route("/", _page),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        exception_handlers={HTTPException: _refusal},
    )


def conversation(body: bytes) -> list[Message]:
    """The request's messages in Bedrock's form; raises an HTTPException that says what is wrong with them."""
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


async def _body(request: Request) -> bytes:
    # Asking for this type also keeps forms of other sites out: they cannot send it without asking first.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "the content-type must be application/json")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            raise HTTPException(413, f"the body must not be larger than {MAX_BODY} bytes")
    return body


def _wrong(what: str) -> HTTPException:
    return HTTPException(400, what)


async def _refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = {**(error.headers or {}), "connection": "close"} if error.status_code == 413 else error.headers
    return JSONResponse({"error": error.detail}, error.status_code, headers)


async def _page(_request: Request) -> Response:
    return FileResponse(STATIC / "index.html")


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})
