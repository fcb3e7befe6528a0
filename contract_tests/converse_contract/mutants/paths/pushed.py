"""Mutants that spoil what is pushed: over a WebSocket API, and over AppSync Events."""
# ruff: noqa: ARG002  # an overridden hook has the arguments of its original

import asyncio
import contextlib
from typing import Any, ClassVar
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from converse_contract.mutants.paths.service import Walker
from converse_contract.mutants.words import Out


class PostsSideBySide(Walker):
    """Does not wait for a message to be taken: they overtake each other."""

    caught: ClassVar = {"websocket": ("10.24",)}

    async def post(self, connection: str, message: Out) -> None:
        task = asyncio.create_task(super().post(connection, message))
        self.posting = {*getattr(self, "posting", ()), task}


class CountsNothing(Walker):
    """Events without numbers, as a stream has them."""

    caught: ClassVar = {"websocket": ("10.24",), "appsync": ("10.25", "10.26")}

    def numbered(self, number: int, event: Out) -> Out:
        return event


class DropsWhatIsNotTaken(Walker):
    """Takes 429 for one of those errors, and goes on with the next message."""

    caught: ClassVar = {"websocket": ("10.5",)}

    async def post(self, connection: str, message: Out) -> None:
        with contextlib.suppress(NotTaken):
            await super().post(connection, message)

    def not_taken(self, error: Any) -> None:
        super().not_taken(error)
        raise NotTaken


class NotTaken(Exception):
    """Let it be."""


class TalksToNobody(Walker):
    """Leaves $disconnect and 410 to the log."""

    caught: ClassVar = {"websocket": ("10.17", "10.18")}

    def closed(self, connection: str) -> None:
        pass

    async def post(self, connection: str, message: Out) -> None:
        try:
            await super().post(connection, message)
        except Exception:
            return


class TrustsInDisconnect(Walker):
    """Ends with $disconnect, which is promised to nobody, and does not look at 410."""

    caught: ClassVar = {"websocket": ("10.18",)}

    post = TalksToNobody.post


class KnowsNoCancel(Walker):
    """A question is a question: there is no word to take it back."""

    caught: ClassVar = {"websocket": ("10.20",), "appsync": ("10.20",)}

    def cancelled(self, connection: str) -> None:
        pass

    async def cancel_channel(self, request: Request) -> Response:
        return JSONResponse({}, 404)


class PublishesAtTheEnd(Walker):
    """Five events a publish, so it waits until there are enough of them: all."""

    caught: ClassVar = {"appsync": ("10.1", "10.3")}

    def batch(self, waiting: list[str], *, over: bool) -> list[str]:
        return super().batch(waiting, over=over) if over else []


class PublishesEachByItself(Walker):
    """A publish for each token, as fast as they come."""

    caught: ClassVar = {"appsync": ("10.29",)}

    def batch(self, waiting: list[str], *, over: bool) -> list[str]:
        return waiting[:1]

    def pause(self) -> float:
        return 0.001


class ChoosesTheChannel(Walker):
    """Makes up a channel and names it in its response: by then nobody listens to it."""

    caught: ClassVar = {"appsync": ("10.27",)}

    def channel_for(self, asked: str) -> str:
        return f"{asked.rpartition('/')[0]}/{uuid4().hex}"


class PublishesAnywhere(Walker):
    """Publishes to whatever channel is named to it."""

    caught: ClassVar = {"appsync": ("10.28",)}

    def own(self, request: Request, channel: str) -> bool:
        return True


class ForgetsWhatItPublished(Walker):
    """What is published is delivered, so why keep it."""

    caught: ClassVar = {"appsync": ("10.26",)}

    async def missed(self, request: Request) -> Response:
        return JSONResponse({"error": "not kept"}, 404)


MUTANTS: tuple[type[Walker], ...] = (
    PostsSideBySide,
    CountsNothing,
    DropsWhatIsNotTaken,
    TalksToNobody,
    TrustsInDisconnect,
    KnowsNoCancel,
    PublishesAtTheEnd,
    PublishesEachByItself,
    ChoosesTheChannel,
    PublishesAnywhere,
    ForgetsWhatItPublished,
)
