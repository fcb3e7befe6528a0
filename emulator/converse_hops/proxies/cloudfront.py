"""A CloudFront distribution in front of a custom origin: 30 s until a response, and between its packets.

Nothing is cached. A `GET` that waits in vain is asked again, up to three times in all: an event stream that
begins late is begun three times.
"""

import argparse
import secrets
from typing import Self

from converse_hops.hop import Hop
from converse_hops.http.client import Head, OriginError, Outgoing
from converse_hops.http.server import Incoming
from converse_hops.pace import LimitReached
from converse_hops.passage import Passage
from converse_hops.proxies.clocks import READ, Clocks, within
from converse_hops.proxies.headers import appended, of_request
from converse_hops.proxies.reverse_proxy import ReverseProxy, add_origin

ASKED_AGAIN = frozenset({"GET", "HEAD"})


class CloudFront(ReverseProxy):
    """`origin_read_timeout`: 1 to 120 s. `response_completion_timeout`: of the whole response, all attempts
    counted, not shorter than the other one; None is none. `connection_attempts`: 1 to 3, of connecting, and
    of a `GET` or `HEAD` that no response came to.
    """

    server = "CloudFront"

    def __init__(
        self,
        origin: Hop | str,
        *,
        origin_read_timeout: float = 30.0,
        response_completion_timeout: float | None = None,
        connection_attempts: int = 3,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
    ) -> None:
        read = within("origin_read_timeout", origin_read_timeout, 1, 120)
        if response_completion_timeout is not None and response_completion_timeout < read:
            raise ValueError(
                f"response_completion_timeout must not be less than origin_read_timeout, {read:g} seconds; "
                f"it is {response_completion_timeout:g}"
            )
        if not 1 <= connection_attempts <= 3:
            raise ValueError(f"connection_attempts must be 1 to 3, not {connection_attempts}")
        clocks = Clocks(read=read, completion=response_completion_timeout)
        super().__init__(origin, clocks, host=host, port=port, speed=speed)
        self._attempts = connection_attempts
        self._domain = f"{secrets.token_hex(16)}.cloudfront.net (CloudFront)"

    async def _exchange(self, incoming: Incoming, passage: Passage) -> None:
        again = incoming.method in ASKED_AGAIN
        for attempt in range(1, self._attempts if again else 1):
            try:
                await super()._exchange(incoming, passage)
            except LimitReached as limit:
                if incoming.responded or limit.name != READ:
                    raise
                passage.note("down", "cut", detail=f"{limit}, attempt {attempt} of {self._attempts}")
            else:
                return
        await super()._exchange(incoming, passage)

    async def _connect(self) -> Outgoing:
        for _ in range(1, self._attempts):
            try:
                return await super()._connect()
            except (OriginError, LimitReached):
                continue
        return await super()._connect()

    def _request_headers(self, incoming: Incoming) -> list[tuple[str, str]]:
        headers = appended(of_request(incoming.headers), "X-Forwarded-For", incoming.client)
        headers = appended(headers, "Via", f"1.1 {self._domain}")
        return [*headers, ("X-Amz-Cf-Id", secrets.token_urlsafe(41))]

    def _response_headers(self, head: Head, incoming: Incoming) -> list[tuple[str, str]]:
        return [*super()._response_headers(head, incoming), *self._own_headers("Miss")]

    def _error_headers(self) -> list[tuple[str, str]]:
        return self._own_headers("Error")

    def _own_headers(self, outcome: str) -> list[tuple[str, str]]:
        return [
            ("X-Cache", f"{outcome} from cloudfront"),
            ("Via", f"1.1 {self._domain}"),
            ("X-Amz-Cf-Pop", "LOC50-P1"),
            ("X-Amz-Cf-Id", secrets.token_urlsafe(41)),
        ]

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        add_origin(parser)
        parser.add_argument(
            "--origin-read-timeout",
            metavar="SECONDS",
            type=float,
            default=30.0,
            help="until the response, and between its packets, 1 to 120 (default: %(default)g)",
        )
        parser.add_argument(
            "--response-completion-timeout",
            metavar="SECONDS",
            type=float,
            help="of the whole response, all attempts counted (default: none)",
        )
        parser.add_argument(
            "--connection-attempts",
            metavar="N",
            type=int,
            default=3,
            help="of connecting, and of a GET that no response came to, 1 to 3 (default: %(default)s)",
        )

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        return cls(
            options.origin,
            origin_read_timeout=options.origin_read_timeout,
            response_completion_timeout=options.response_completion_timeout,
            connection_attempts=options.connection_attempts,
            host=options.host,
            port=options.port,
            speed=options.speed,
        )
