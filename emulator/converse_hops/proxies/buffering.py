"""A proxy that buffers, as nginx does by default: the mistake to find, on any path.

A response that says `X-Accel-Buffering: no` passes at once, unless the proxy is told not to look.
"""

import argparse
from collections.abc import AsyncIterator
from typing import Self

from converse_hops.hop import Hop
from converse_hops.http.client import Head, OriginError
from converse_hops.http.link import header
from converse_hops.http.server import Incoming
from converse_hops.pace import LimitReached
from converse_hops.passage import Passage
from converse_hops.proxies.clocks import Clocks
from converse_hops.proxies.headers import passed_on
from converse_hops.proxies.reverse_proxy import ReverseProxy, add_origin

ACCEL = "X-Accel-Buffering"


class BufferingProxy(ReverseProxy):
    """`size`: bytes that are collected before they go on; None: the whole response.

    `ignore_accel`: buffer whatever the response says, like nginx's `proxy_ignore_headers X-Accel-Buffering`.
    """

    server = "nginx"

    def __init__(
        self,
        origin: Hop | str,
        *,
        size: int | None = None,
        ignore_accel: bool = False,
        read_timeout: float = 60.0,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
    ) -> None:
        if size is not None and size < 1:
            raise ValueError(f"size must be at least 1 byte, not {size}")
        super().__init__(origin, Clocks(read=read_timeout), host=host, port=port, speed=speed)
        self._size = size
        self._ignore_accel = ignore_accel

    def _response_headers(self, head: Head, incoming: Incoming) -> list[tuple[str, str]]:  # noqa: ARG002
        return passed_on(head.headers, dropped={ACCEL.lower()})

    async def _deliver(
        self, head: Head, pieces: AsyncIterator[bytes], incoming: Incoming, passage: Passage
    ) -> None:
        if not self._ignore_accel and (header(head.headers, ACCEL) or "").lower() == "no":
            return await super()._deliver(head, pieces, incoming, passage)
        return await super()._deliver(head, self._collected(pieces), incoming, passage)

    async def _collected(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        held = b""
        broken: Exception | None = None
        try:
            async for piece in pieces:
                held += piece
                if self._size is not None and len(held) >= self._size:
                    yield held
                    held = b""
        except (LimitReached, OriginError) as error:  # what there is still goes out
            broken = error
        yield held
        if broken:
            raise broken

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        add_origin(parser)
        parser.add_argument(
            "--size", metavar="BYTES", type=int, help="that are collected (default: the whole response)"
        )
        parser.add_argument("--ignore-accel", action="store_true", help=f"do not look at {ACCEL}")
        parser.add_argument(
            "--read-timeout",
            metavar="SECONDS",
            type=float,
            default=60.0,
            help="until the response, and between its packets (default: %(default)g)",
        )

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        return cls(
            options.origin,
            size=options.size,
            ignore_accel=options.ignore_accel,
            read_timeout=options.read_timeout,
            host=options.host,
            port=options.port,
            speed=options.speed,
        )
