"""The far end of AppSync Events: a browser that subscribes to a channel of its own, and then asks.

GET  /appsync       → {"realtime_url", "host", "ticket", "channels"}
POST /appsync/chat  {"messages", "channel"}, Authorization: TICKET → 202, and the answer in the channel
"""

import asyncio
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from converse_contract.delivery.numbered import NumberedListener
from converse_contract.dialect import HttpRequest
from converse_contract.listen import Cut, HandlerUnreachable
from converse_contract.transcript import Text

SESSION, CHAT, MISSED, CANCEL = "/appsync", "/appsync/chat", "/appsync/missed", "/appsync/cancel"
PROTOCOL = "aws-appsync-event-ws"


def channel_name(session: str) -> str:
    """A segment of a channel that tells the session."""
    return re.sub(r"[^A-Za-z0-9-]", "-", session)[:50].strip("-")


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser that has got its ticket from the handler at `url`."""

    client: httpx.AsyncClient
    url: str
    realtime_url: str
    host: str
    ticket: str
    channels: str  # the prefix of its own channels

    @classmethod
    async def of(cls, url: str, client: httpx.AsyncClient) -> "Visitor":
        """Raises `HandlerUnreachable`."""
        try:
            response = await client.get(url + SESSION)
            session = response.raise_for_status().json()
            told = [str(session[name]) for name in ("realtime_url", "host", "ticket", "channels")]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise HandlerUnreachable(f"{url}{SESSION} gives no session: {error!r}") from error
        return cls(client, url, *told)

    @property
    def authorization(self) -> Mapping[str, str]:
        return {"host": self.host, "Authorization": self.ticket}

    @asynccontextmanager
    async def connected(self) -> Any:
        """The realtime WebSocket."""
        encoded = urlsafe_b64encode(json.dumps(self.authorization).encode()).decode().rstrip("=")
        offer = [Subprotocol(PROTOCOL), Subprotocol(f"header-{encoded}")]
        try:
            async with connect(
                self.realtime_url, subprotocols=offer, proxy=None, ping_interval=None, close_timeout=1.0
            ) as socket:
                yield socket
        except (InvalidHandshake, OSError) as error:
            raise HandlerUnreachable(f"{self.realtime_url} does not open a WebSocket: {error}") from error

    async def subscribe(self, socket: ClientConnection, channel: str) -> str:
        """The type of what the API answers: `subscribe_success`, or an error's."""
        asked = {"type": "subscribe", "id": channel_name(channel), "channel": channel}
        await socket.send(json.dumps({**asked, "authorization": self.authorization}))
        while (kind := json.loads(await socket.recv())["type"]) in ("ka", "connection_ack"):
            pass
        return str(kind)

    async def ask(self, body: Mapping[str, Any], channel: str) -> httpx.Response:
        """Have the answer published to this channel."""
        headers = {"authorization": self.ticket}
        return await self.client.post(self.url + CHAT, json={**body, "channel": channel}, headers=headers)

    async def cancel(self, channel: str) -> None:
        """Say that the answer in this channel is not wanted any more."""
        headers = {"authorization": self.ticket}
        await self.client.post(self.url + CANCEL, json={"channel": channel}, headers=headers)

    async def missed(self, channel: str, after: int) -> httpx.Response:
        """The events of the channel after the one with this number."""
        where = {"channel": channel, "after": str(after)}
        return await self.client.get(self.url + MISSED, params=where, headers={"authorization": self.ticket})


class AppSyncListener(NumberedListener):
    """The target's URL is the handler's; the answer comes over the Event API that it names."""

    visitor: Visitor
    channel: str

    async def cancel(self) -> None:
        await self.visitor.cancel(self.channel)

    async def mended(self) -> str:
        """The whole text, with all after the first gap, or after what came, asked for by number."""
        there = dict(self._events)
        gap = next(number for number in count(1) if number not in there)
        if self._last is None or gap <= self._last:
            response = await self.visitor.missed(self.channel, gap - 1)
            seen = [self.target.dialect.message(json.dumps(raw)) for raw in _events_in(response)]
            there |= {int(one.id): one.event for one in seen if one.id is not None}
        return "".join(event.text for _, event in sorted(there.items()) if isinstance(event, Text))

    async def _visit(self) -> Visitor:
        return await Visitor.of(self.target.url, self._client)

    async def _converse(self, asked: HttpRequest) -> None:
        self.visitor = await self._visit()
        self.channel = self.visitor.channels + channel_name(self.session)
        try:
            async with self.visitor.connected() as socket:
                if (kind := await self.visitor.subscribe(socket, self.channel)) != "subscribe_success":
                    raise HandlerUnreachable(f"its ticket does not subscribe to {self.channel}: {kind}")
                response = await self.visitor.ask(json.loads(asked.body), self.channel)
                self._status, self._headers = response.status_code, tuple(response.headers.multi_items())
                if response.status_code >= 300:
                    return
                published_to = _channel_in(response) or self.channel
                if published_to != self.channel:  # the handler would have it elsewhere
                    await self.visitor.subscribe(socket, published_to)
                await asyncio.sleep(self._pause)
                await self._until_over(lambda: _event(socket))
        except ConnectionClosed as error:
            raise Cut from error
        except httpx.HTTPError as error:
            raise HandlerUnreachable(f"{self.target.url}{CHAT}: {error!r}") from error


def _events_in(response: httpx.Response) -> list[Any]:
    """The events that were missed; none where they cannot be had."""
    try:
        return list(response.json()["events"])
    except (ValueError, KeyError, TypeError):
        return []


def _channel_in(response: httpx.Response) -> str | None:
    try:
        return str(response.json()["channel"])
    except (ValueError, KeyError, TypeError):
        return None


async def _event(socket: ClientConnection) -> str:
    """The next event; what else comes is passed over."""
    while True:
        message = json.loads(await socket.recv())
        if message["type"] == "data":
            event = message["event"]
            return str(event[0] if isinstance(event, list) else event)
