"""Mutants that are wrong about browsers that come back."""

from typing import ClassVar

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from converse_contract.mutants.paths.service import Kept, Walker


class AnswersAgain(Walker):
    """`GET` and `POST` are the same to it: an EventSource that comes back has its question answered anew."""

    caught: ClassVar = {"load-balancer": ("10.21",)}

    async def come_back(self, _request: Request) -> Response:
        return StreamingResponse(self.body(self.last_asked), headers=self.headers())


class TellsAllAgain(Walker):
    """Keeps the answer, and does not look at what the browser has of it."""

    caught: ClassVar = {"load-balancer": ("10.22", "10.23")}

    def rest(self, kept: Kept, _last: int) -> Response:
        return super().rest(kept, 0)


class AsksAgainForTheRest(Walker):
    """Keeps the question instead of the answer."""

    caught: ClassVar = {"load-balancer": ("10.22", "10.23")}

    def rest(self, kept: Kept, _last: int) -> Response:
        return StreamingResponse(self.body(kept.messages), headers=self.headers())


MUTANTS: tuple[type[Walker], ...] = (AnswersAgain, TellsAllAgain, AsksAgainForTheRest)
