"""The web side of answers over AppSync Events: a browser gets a ticket, subscribes, and then asks.

    GET  /appsync         → {"realtime_url", "host", "ticket", "channels", "expires_ms", "silence_ms"}
    POST /appsync/chat    {"messages", "channel"} → 202 {"id", "channel"}: what is subscribed loses nothing
    GET  /appsync/missed?channel=C&after=N → 200 {"events"}: what was made after the Nth
    POST /appsync/cancel  {"channel"} → 200 {"cancelled"}: nothing else tells that nobody listens any more

The channel is the browser's choice within its own: the ticket in `authorization` says whose those are, so
nobody can have the handler publish into somebody else's channel.
"""

import asyncio
import json
import secrets
import time
from functools import partial
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from converse_handler.appsync import AppSync, realtime_url
from converse_handler.chat_request import Refused, conversation, read_body
from converse_handler.conversation import Answer, Model
from converse_handler.metrics import Metrics, Record
from converse_handler.publishing import Publication
from converse_handler.settings import Settings
from converse_handler.tickets import LIFETIME, Tickets
from converse_handler.tools import Tools

MARGIN = 5.0  # seconds more than the longest silence that the handler's own deadlines allow


def appsync_routes(settings: Settings, model: Model, tools: Tools, metrics: Metrics) -> list[Route]:
    """The routes; none without an endpoint. Raises `SettingsError`."""
    if not settings.appsync_endpoint:
        return []
    chat = AppSyncChat(settings, model, tools, metrics)
    return [
        Route("/appsync", chat.session),
        Route("/appsync/chat", chat.chat, methods=["POST"]),
        Route("/appsync/missed", chat.missed),
        Route("/appsync/cancel", chat.cancel, methods=["POST"]),
    ]


class AppSyncChat:
    """The answers that are under way, and for a while those that were, by channel; all in this instance."""

    def __init__(self, settings: Settings, model: Model, tools: Tools, metrics: Metrics) -> None:
        self._settings, self._model, self._tools, self._metrics = settings, model, tools, metrics
        self._appsync = AppSync(settings.appsync_endpoint, settings.appsync_api_key)
        self._tickets = Tickets(settings.appsync_secret or secrets.token_hex(), settings.appsync_namespace)
        self._answers: dict[str, tuple[Publication, asyncio.Task[None]]] = {}

    async def session(self, _request: Request) -> Response:
        """A ticket for a user that nobody knows; yours has signed in."""
        user = uuid4().hex
        session = {
            "realtime_url": realtime_url(self._appsync.endpoint),
            "host": self._appsync.host,
            "ticket": self._tickets.mint(user, time.time()),
            "channels": self._tickets.channel(user, ""),
            "expires_ms": LIFETIME * 1000,
            "silence_ms": round(self._silence() * 1000),
        }
        return JSONResponse(session, headers={"cache-control": "no-store"})

    async def chat(self, request: Request) -> Response:
        body = await read_body(request.headers.get("content-type", ""), request.stream())
        messages = conversation(body)
        channel = self._own_channel(request, _channel_in(body))
        if channel in self._answers:
            raise Refused(409, "this channel has its answer already; take a new one for each")
        answer = Answer(messages, self._model, self._tools, self._settings)
        post = partial(self._appsync.publish, channel)
        publication = Publication(post, Record(answer, self._metrics))
        task = asyncio.create_task(publication.run(answer.events()))
        self._answers[channel] = publication, task
        task.add_done_callback(lambda _: self._forget_later(channel))
        return JSONResponse({"id": answer.id, "channel": channel}, 202)

    async def missed(self, request: Request) -> Response:
        publication, _ = self._answer_of(request, request.query_params.get("channel"))
        after = request.query_params.get("after", "")
        if not (after.isascii() and after.isdigit() and len(after) < 10):
            raise Refused(400, "after must be the number of the last event that is there; 0 is none")
        events = ",".join(publication.published[int(after) :])
        return Response(f'{{"events":[{events}]}}', media_type="application/json")

    async def cancel(self, request: Request) -> Response:
        body = await read_body(request.headers.get("content-type", ""), request.stream())
        publication, task = self._answer_of(request, _channel_in(body))
        publication.cancel()
        return JSONResponse({"cancelled": not task.done()})

    def _answer_of(self, request: Request, channel: object) -> tuple[Publication, asyncio.Task[None]]:
        """The caller's answer in this channel; raises `Refused`."""
        found = self._answers.get(self._own_channel(request, channel))
        if found is None:
            raise Refused(404, "there is no answer in this channel, or it is not kept any more")
        return found

    def _own_channel(self, request: Request, channel: object) -> str:
        """The channel, if it is the caller's own; raises `Refused`."""
        user = self._tickets.holder(request.headers.get("authorization", ""), time.time())
        if user is None:
            raise Refused(401, "the authorization must be a ticket of GET /appsync, not older than an hour")
        if not isinstance(channel, str) or not self._tickets.owns(user, channel):
            raise Refused(403, f"channel must be {self._tickets.channel(user, 'NAME')}, one for each answer")
        return channel

    def _forget_later(self, channel: str) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(self._settings.resume_window, self._answers.pop, channel)

    def _silence(self) -> float:
        """Seconds without an event after which a browser may give up: there are no heartbeats."""
        settings = self._settings
        longest = max(settings.first_byte_timeout, settings.between_bytes_timeout, settings.tool_timeout)
        return longest + MARGIN


def _channel_in(body: bytes) -> object:
    try:
        return json.loads(body)["channel"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
