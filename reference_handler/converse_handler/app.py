"""The web application: `POST /chat`, `GET` and `DELETE /chat/ID`, the chat page, `/health` and `/metrics`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from converse_handler import paths, sse
from converse_handler.answers import Answers, Blocks, Seen, Share
from converse_handler.appsync_app import appsync_routes
from converse_handler.bridge import Bedrock, connect
from converse_handler.chat_request import Refused, conversation, read_body
from converse_handler.conversation import Answer
from converse_handler.demo_tools import DEMO_TOOLS
from converse_handler.metrics import Metrics, Record
from converse_handler.settings import Settings, SettingsError
from converse_handler.stream import EventStream
from converse_handler.tools import Tools
from converse_handler.websocket_app import websocket_routes

STATIC = Path(__file__).parent / "static"


def create_app(settings: Settings, client: Any = None, tools: Tools = DEMO_TOOLS) -> Starlette:
    """The application. `client` is a boto3 bedrock-runtime client; None makes one from the environment.

    A client of your own should not retry (`total_max_attempts=1`): the handler does it, where it is safe.
    """
    bedrock = Bedrock(connect(settings) if client is None else client)
    metrics = Metrics()
    answers = Answers(settings, _share(settings))

    def stream(blocks: Blocks, address: str = "") -> ASGIApp:
        return EventStream(
            blocks, address, heartbeat=settings.heartbeat, patience=settings.between_bytes_timeout
        )

    async def chat(request: Request) -> ASGIApp:
        answer = Answer(conversation(await _body(request)), bedrock, tools, settings)
        return stream(answers.begin(answer, lambda: Record(answer, metrics)), f"chat/{answer.id}")

    async def resume(request: Request) -> ASGIApp:
        answer = request.path_params["answer"]
        try:
            return stream(await answers.resume(answer, _last_seen(request, answer)))
        except Seen:
            return Response(status_code=204)  # the one status that is no error and stops an EventSource

    async def stop(request: Request) -> Response:
        await answers.stop(request.path_params["answer"])
        return Response(status_code=204)

    async def offered(_request: Request) -> Response:
        return JSONResponse([asdict(path) for path in paths.paths(settings)])

    async def measured(_request: Request) -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await answers.close()

    return Starlette(
        routes=[
            Route("/chat", chat, methods=["POST"]),
            Route("/chat/{answer}", resume, methods=["GET"]),
            Route("/chat/{answer}", stop, methods=["DELETE"]),
            *websocket_routes(settings, bedrock, tools, metrics),
            *appsync_routes(settings, bedrock, tools, metrics),
            Route("/health", _health),
            Route("/metrics", measured),
            Route("/paths", offered),
            Route("/", _page(settings)),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        exception_handlers={Refused: _refused, HTTPException: _no_such_route},
        lifespan=lifespan,
        middleware=_other_origins(settings),
    )


async def _body(request: Request) -> bytes:
    return await read_body(request.headers.get("content-type", ""), request.stream())


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    headers = {"connection": "close"} if error.status == 413 else {}  # the rest of the body is not read
    return JSONResponse({"error": error.detail}, error.status, headers)


def _last_seen(request: Request, answer: str) -> int:
    """The number of the last event that the browser has; a reconnecting EventSource sends the header."""
    last = request.headers.get("last-event-id") or request.query_params.get("last_event_id", "")
    if (number := sse.number_in(last, answer)) is None:
        raise Refused(400, f"Last-Event-ID must be the id of an event of this answer: {answer}-N")
    return number


def _share(settings: Settings) -> Share | None:
    if not settings.redis_url:
        return None
    try:
        from converse_handler.shared import RedisShare  # an extra: one instance does without it
    except ImportError as error:
        raise SettingsError(
            "CHAT_REDIS_URL needs the package redis: install 'converse-emulator[redis]'"
        ) from error
    return RedisShare(settings)


async def _no_such_route(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


def _page(settings: Settings) -> Callable[[Request], Awaitable[Response]]:
    """The chat page, which may connect to this server and to where else its answers come from."""
    html = (STATIC / "index.html").read_text(encoding="utf-8")
    html = html.replace("connect-src 'self'", " ".join(["connect-src 'self'", *paths.origins(settings)]))

    async def page(_request: Request) -> Response:
        return HTMLResponse(html)

    return page


def _other_origins(settings: Settings) -> list[Middleware]:
    """Lets the page of one other origin ask, where that is wanted."""
    if not settings.allow_origin:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=[settings.allow_origin],
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["content-type", "last-event-id", "authorization"],
            expose_headers=["content-location"],
        )
    ]


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})
