"""Answers that no scenario tells: errors, and what a rule refuses."""

import itertools
import logging
import time
from collections.abc import Mapping

from converse_emulator.admission.lease import Throttled
from converse_emulator.errors import EmulatorError, Miss
from converse_emulator.http.inbound import NotJson, TooLarge
from converse_emulator.http.refusals import ServiceError
from converse_emulator.http.responses import Response, error_response
from converse_emulator.judging.judge import refused_stream
from converse_emulator.judging.verdicts import FirstFrame, Refused
from converse_emulator.playing.acts import Beat, Finish, Head, Timeline, Whole
from converse_emulator.playing.recording import Recording
from converse_emulator.reading import NotServed
from converse_emulator.shapes.service import UnknownPath, WrongMethod
from converse_emulator.spelling.delivery import Delivery, sent

logger = logging.getLogger(__name__)

# What can be wrong with a request, and the name and status of the error it gets.
_ERRORS: Mapping[type[Exception], tuple[str, int]] = {
    UnknownPath: ("UnknownOperationException", 404),
    NotServed: ("UnknownOperationException", 404),
    WrongMethod: ("UnknownOperationException", 405),
    TooLarge: ("RequestTooLargeException", 413),
    NotJson: ("SerializationException", 400),
    EmulatorError: ("ValidationException", 400),
}


class Unscripted:
    """Makes them, by chances of their own."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._refusals = itertools.count()

    def failed(self, error: Exception, recording: Recording) -> Whole:
        """The error response."""
        what, injected = "error", False
        if isinstance(error, Miss):
            recording.missed(str(error))
        if isinstance(error, Throttled):
            recording.chosen(None, "quota")
            what, injected = error.why, True
        return at_once(self.response(error), what, injected=injected)

    def refused(self, refused: Refused | FirstFrame, recording: Recording) -> Timeline:
        """The answer to a request that breaks a rule."""
        if refused.rule:
            logger.warning("Refused by the rule %s of docs/validation.md: %s", refused.rule, refused.message)
            recording.chosen(None, f"rule {refused.rule}")
        if isinstance(refused, Refused):
            raise ServiceError(refused.error, refused.message)
        return refused_stream(refused.message, self.delivery())

    def delivery(self) -> Delivery:
        """For what is answered at once, without a script."""
        return Delivery.drawn(f"{self._seed}:refusal:{next(self._refusals)}", time.time(), speed=1.0)

    def response(self, error: Exception) -> Response:
        """The error that the client gets. What is not foreseen is a mistake of ours, and logged."""
        known: tuple[str, int | None] | None
        known = next((known for kind, known in _ERRORS.items() if isinstance(error, kind)), None)
        message = str(error)
        if isinstance(error, ServiceError):
            known = error.name, None
        if known is None:
            logger.error("The emulator failed", exc_info=error)
            known, message = ("InternalServerException", 500), "The emulator failed; its log tells where."
        name, status = known
        delivery = self.delivery()
        return error_response(
            name,
            message=message,
            status=status,
            headers=[("Allow", ", ".join(error.allowed))] if isinstance(error, WrongMethod) else (),
            request_id=delivery.request_id,
            date=delivery.date(0.0),
        )


def at_once(response: Response, what: str, *, injected: bool = False) -> Whole:
    """A response that is sent at once."""

    def unfolded() -> Timeline:
        beats = sent(response, 0.0, what, injected=injected)
        return Timeline((*beats, Beat(0.0, Finish(), injected)), 0)

    return Whole(Head(response.status, response.headers), response.body, 0, unfolded)
