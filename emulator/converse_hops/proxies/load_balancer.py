"""An Application Load Balancer: it never buffers, and it cuts what is silent for a minute.

    with LoadBalancer(handler_url, speed=60) as balancer:
        ...                      # the idle timeout of a minute is up after a second
        balancer.deregister()    # a deployment: open streams get the delay, new requests a 503

Its idle timeout counts bytes in either direction, of the request, before the response and in it; only bytes
of the body help, a heartbeat for instance. What is not documented, as error pages, is as others report it.
"""

import argparse
import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Self
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from converse_hops.hop import Hop
from converse_hops.http.client import Head, Outgoing
from converse_hops.http.link import header
from converse_hops.http.server import Incoming
from converse_hops.pace import LimitReached
from converse_hops.passage import Passage
from converse_hops.proxies.clocks import Clocks, within
from converse_hops.proxies.headers import appended, of_request, replaced
from converse_hops.proxies.reverse_proxy import ReverseProxy, add_origin
from converse_hops.proxies.waiting import WaitingConnections

DELAY = "deregistration delay"


class LoadBalancer(ReverseProxy):
    """`idle_timeout`: 1 to 4000 s. `client_keep_alive`: 60 to 604800 s, after which a client's connection is
    closed with its next response. `deregistration_delay`: 0 to 3600 s.

    `late_fin`: that the target has closed an idle connection is always noticed one request too late. The 502
    that a target with a shorter keep-alive gives now and then comes for certain.
    """

    server = "awselb/2.0"

    def __init__(
        self,
        origin: Hop | str,
        *,
        idle_timeout: float = 60.0,
        client_keep_alive: float = 3600.0,
        deregistration_delay: float = 300.0,
        late_fin: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
    ) -> None:
        idle = within("idle_timeout", idle_timeout, 1, 4000)
        super().__init__(origin, Clocks(idle=idle), host=host, port=port, speed=speed)
        self.idle = self.pace.real(idle)
        self._client_keep_alive = within("client_keep_alive", client_keep_alive, 60, 604800)
        self._delay = within("deregistration_delay", deregistration_delay, 0, 3600)
        self._waiting = WaitingConnections(self.idle, late_fin)
        self._registered = True
        self._exchanges: set[asyncio.Timeout] = set()  # those under way, and their ends
        self._since: WeakKeyDictionary[asyncio.Future[None], float] = WeakKeyDictionary()  # by connection

    def deregister(self) -> None:
        """Take the target away: new requests get a 503, open ones may go on for the deregistration delay."""
        self._thread.run(self._deregister())

    def register(self, origin: Hop | str) -> None:
        """Have this target, which runs, answer new requests; those of another one before are drained."""
        self.deregister()
        self._origin = origin
        self._registered = True

    async def _close(self) -> None:
        await super()._close()
        self._waiting.close()

    async def _deregister(self) -> None:
        self._registered = False
        self._waiting.close()
        end = asyncio.get_running_loop().time() + self.pace.real(self._delay)
        for exchange in self._exchanges:
            if exchange.when() is None:  # not drained already
                exchange.reschedule(end)

    async def _exchange(self, incoming: Incoming, passage: Passage) -> None:
        if not self._registered:
            passage.note("down", "failed", detail="no target is registered")
            return await self._fail(incoming, 503)
        exchange = asyncio.timeout(None)
        try:
            async with exchange:
                self._exchanges.add(exchange)
                await super()._exchange(incoming, passage)
        except TimeoutError as error:
            if not exchange.expired():
                raise
            raise LimitReached(DELAY, self._delay) from error
        finally:
            self._exchanges.discard(exchange)

    def _status_of(self, limit: LimitReached, incoming: Incoming) -> int:
        if limit.name == DELAY:
            return 502
        return 504 if incoming.received else 408

    def _request_headers(self, incoming: Incoming) -> list[tuple[str, str]]:
        headers = appended(of_request(incoming.headers), "X-Forwarded-For", incoming.client)
        headers = replaced(headers, "X-Forwarded-Proto", "http")
        headers = replaced(headers, "X-Forwarded-Port", str(urlsplit(self.url).port))
        own = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
        trace = header(headers, "X-Amzn-Trace-Id")
        return replaced(headers, "X-Amzn-Trace-Id", f"Self={own};{trace}" if trace else f"Root={own}")

    def _connection(self) -> AbstractAsyncContextManager[Outgoing]:
        return self._kept_alive()

    def _response_headers(self, head: Head, incoming: Incoming) -> list[tuple[str, str]]:
        headers = super()._response_headers(head, incoming)
        now = asyncio.get_running_loop().time()
        since = self._since.setdefault(incoming.left, now)
        over = now - since >= self.pace.real(self._client_keep_alive)
        return [*headers, *([("Connection", "close")] if over else [])]

    @asynccontextmanager
    async def _kept_alive(self) -> AsyncIterator[Outgoing]:
        """A connection that waits, or a new one; it waits again afterwards if it can."""
        outgoing = self._waiting.take() or await self._connect()
        try:
            yield outgoing
        finally:
            if not (self._registered and self._waiting.give(outgoing)):
                outgoing.close()

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        add_origin(parser)
        parser.add_argument(
            "--idle-timeout",
            metavar="SECONDS",
            type=float,
            default=60.0,
            help="without a byte either way, 1 to 4000 (default: %(default)g)",
        )
        parser.add_argument(
            "--client-keep-alive",
            metavar="SECONDS",
            type=float,
            default=3600.0,
            help="that a client's connection is used again, 60 to 604800 (default: %(default)g)",
        )
        parser.add_argument(
            "--late-fin",
            action="store_true",
            help="notice one request too late that the target closed an idle connection: a 502",
        )

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        return cls(
            options.origin,
            idle_timeout=options.idle_timeout,
            client_keep_alive=options.client_keep_alive,
            late_fin=options.late_fin,
            host=options.host,
            port=options.port,
            speed=options.speed,
        )
