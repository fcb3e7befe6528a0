"""What the fronts of a function share: which function it is, and what is done when it cannot be had."""

import argparse
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from converse_emulator.framing.eventstream import FrameError

from converse_hops.fronts.asked import Asked
from converse_hops.fronts.invoking import InvokeRefused, Target
from converse_hops.functions.function import Function, add_function_options, function_arguments
from converse_hops.functions.prelude import PreludeError
from converse_hops.http.client import OriginError
from converse_hops.http.hop import HttpHop
from converse_hops.http.server import BodyMismatch, BodyTooLarge, Incoming
from converse_hops.pace import LimitReached
from converse_hops.passage import Passage

MOST_BODY = 10_485_760  # bytes of a request, API Gateway's limit; the function's own is lower


class Front(HttpHop):
    """`function` is a function here or the URL of one elsewhere, which then has `function_name`."""

    def __init__(
        self,
        function: Function | str,
        *,
        function_name: str = "function",
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
    ) -> None:
        super().__init__(function, host=host, port=port, speed=speed)
        self._function_name = function.name if isinstance(function, Function) else function_name

    @property
    def target(self) -> Target:
        """The function, as the invoke APIs know it."""
        return Target(self.origin_url, self._function_name)

    async def _respond(self, incoming: Incoming, asked: Asked, passage: Passage) -> None:
        """Answer this request. What `_refuse` knows may be raised."""
        raise NotImplementedError

    async def _refuse(self, incoming: Incoming, asked: Asked, status: int) -> None:
        """Answer by an error of the front's own; the function has nothing to say, or too late."""
        raise NotImplementedError

    async def _answer(self, incoming: Incoming, passage: Passage) -> None:
        asked = Asked.of(incoming, str(urlsplit(self.url).port))
        try:
            asked = replace(asked, body=await incoming.body(MOST_BODY))
            passage.note("up", "received", len(asked.body), f"{asked.id} {asked.root}")
            await self._respond(incoming, asked, passage)
        except BodyTooLarge as error:
            passage.note("up", "cut", detail=str(error))
            await self._refuse(incoming, asked, 413)
        except LimitReached as limit:
            passage.note("down", "cut", detail=str(limit))
            await self._give_up(incoming, asked, 504)
        except InvokeRefused as refused:
            passage.note("down", "failed", detail=str(refused))
            await self._give_up(incoming, asked, refused.status if refused.status in (413, 429) else 502)
        except PreludeError as error:
            passage.note("down", "failed", detail=str(error))
            await self._give_up(incoming, asked, 500)
        except (OriginError, FrameError, BodyMismatch) as error:
            passage.note("down", "failed", detail=str(error))
            await self._give_up(incoming, asked, 502)

    async def _give_up(self, incoming: Incoming, asked: Asked, status: int) -> None:
        """What has begun is cut."""
        if incoming.responded:
            incoming.hang_up()
        else:
            await self._refuse(incoming, asked, status)

    async def _pass(self, incoming: Incoming, passage: Passage, data: bytes) -> None:
        """A piece of the body that has come from the function."""
        await incoming.send(data)
        passage.note("down", "passed", len(data))


def add_front_options(parser: argparse.ArgumentParser) -> None:
    """Which function is behind a front."""
    parser.add_argument("--function", metavar="URL", help="the URL of a running `hop function`; or else:")
    add_function_options(parser)


def front_options(options: argparse.Namespace) -> dict[str, Any]:
    """The arguments that all fronts have; raises `ValueError`."""
    if options.function and options.command:
        raise ValueError("--function and --command are one or the other")
    function = options.function or Function(**function_arguments(options))
    return {
        "function": function,
        "function_name": options.name,
        "host": options.host,
        "port": options.port,
        "speed": options.speed,
    }
