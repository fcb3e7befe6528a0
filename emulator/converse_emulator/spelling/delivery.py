"""The HTTP side of a compiled reply: heads with their date and request id, whole responses as beats."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from converse_emulator.framing.frames import VARIANTS
from converse_emulator.http.refusals import REFUSALS, THROWS
from converse_emulator.http.responses import (
    Response,
    body_response,
    error_response,
    http_date,
    json_response,
    stream_headers,
)
from converse_emulator.language.scenario import Json, Refuse, Throw
from converse_emulator.playing.acts import Beat, Finish, Head, HttpHeaders, Send
from converse_emulator.scripting import ids

# ModelStreamErrorException exists only inside streams.
_BLOCKING_NAMES = {"ModelStreamErrorException": "ModelErrorException"}


class Delivery(NamedTuple):
    """What all responses to one request share. Moments are in scripted seconds."""

    request_id: str
    now: float  # when the request came, epoch seconds
    speed: float
    paddings: int = 0  # which sequence of paddings the frames have

    @classmethod
    def drawn(cls, seed: str, now: float, speed: float) -> "Delivery":
        """With what is left to chance drawn from the seed itself: most replies need no stream of chance."""
        drawn = hashlib.sha256(seed.encode()).digest()
        return cls(ids.uuid(int.from_bytes(drawn[:16])), now, speed, drawn[-1] % VARIANTS)

    def date(self, at: float) -> str:
        """The `Date` of what is sent `at` seconds: clients take a wrong one for a skewed clock."""
        return http_date(self.now + at / self.speed)

    def stream_head(self, at: float, headers: HttpHeaders = ()) -> Head:
        """The head of an event stream; `headers` come last."""
        return Head(200, (*stream_headers(self.request_id, self.date(at)), *headers))

    def json(self, body: Json, at: float) -> Response:
        """200 with a JSON body, keys sorted."""
        return json_response(body, request_id=self.request_id, date=self.date(at))

    def body(self, content: bytes, at: float, headers: HttpHeaders = ()) -> Response:
        """200 with a body that is JSON already, or what a scenario puts in its place."""
        return body_response(content, headers, request_id=self.request_id, date=self.date(at))

    def thrown(self, throw: Throw, at: float) -> Response:
        """What a blocking call answers where a stream would throw; 500 for what the service model lacks."""
        name = throw.name[:1].upper() + throw.name[1:]
        name = _BLOCKING_NAMES.get(name, name)
        return error_response(
            name,
            message=message_of(throw),
            status=None if name in REFUSALS else 500,
            request_id=self.request_id,
            date=self.date(at),
        )

    def refusal(self, refuse: Refuse, at: float) -> Iterator[Beat]:
        """An HTTP error, all of it asked for by the scenario."""
        response = error_response(
            refuse.name,
            message=refuse.message,
            status=refuse.status,
            headers=tuple(refuse.headers.items()),
            request_id=self.request_id,
            date=self.date(at),
        )
        yield from sent(response, at, refuse.name, injected=True)
        yield Beat(at, Finish(), injected=True)


def message_of(throw: Throw) -> str:
    """The message of an exception in the stream."""
    if throw.message is not None:
        return throw.message
    return THROWS.get(throw.name, THROWS["internalServerException"])


def sent(
    response: Response, at: float, what: str, *, tokens: int = 0, injected: bool = False
) -> Iterator[Beat]:
    """Head and body of a response that is sent in one go."""
    yield Beat(at, response.head, injected)
    if response.body:
        yield Beat(at, Send(response.body, what, tokens), injected)
