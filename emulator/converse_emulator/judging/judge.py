"""How a request is judged: by the service model's constraints, and by the semantic rules."""

from dataclasses import dataclass, field

from converse_emulator.choosing.request import Request
from converse_emulator.framing.frames import exception_frame
from converse_emulator.judging.verdicts import Refused, Validation, Verdict
from converse_emulator.models.catalogue import Catalogue, packaged
from converse_emulator.playing.acts import Beat, Finish, Send, Timeline
from converse_emulator.shapes.service import input_violations, operation_named, violations
from converse_emulator.shapes.violations import summary
from converse_emulator.spelling.delivery import Delivery

MOST_KEPT = 256  # verdicts
_UNKNOWN = (None, False, None)


@dataclass(slots=True, eq=False, repr=False)
class Judge:
    """Judges as much as `validation` says. `models` are the user's, beside those that are packaged."""

    validation: Validation = "strict"
    models: Catalogue | None = None
    _catalogue: Catalogue | None = field(default=None, init=False)
    # Of bodies that come again (see `reading`): the body, whether it breaks constraints, the verdict.
    _judged: dict[tuple[str, str, int], tuple[object, bool, Verdict]] = field(
        default_factory=dict, init=False
    )

    @property
    def catalogue(self) -> Catalogue:
        """All models; read on first use."""
        if self._catalogue is None:
            self._catalogue = packaged().extended(self.models) if self.models else packaged()
        return self._catalogue

    def inference(self, request: Request) -> tuple[Request, Verdict]:
        """The request to answer, and what it is refused with, if it is.

        Where nothing is judged, a body that breaks the constraints is taken for an empty one: what reads it
        relies on them.
        """
        if request.native is not None:
            return self._native(request)
        key = request.operation, request.model_id, id(request.body)
        known, found, verdict = self._judged.get(key, _UNKNOWN)
        if known is not request.body:
            found = bool(wrong := violations(request.operation, request.model_id, request.body))
            verdict = _invalid(wrong) if wrong else self._by_rules(request)
            if len(self._judged) >= MOST_KEPT:
                self._judged.clear()
            self._judged[key] = request.body, found, verdict
        if found and self.validation == "off":
            return request._replace(body={}), None
        return request, verdict

    def _native(self, request: Request) -> tuple[Request, Verdict]:
        """The same for a request in the model's own format, which is looked at after the model's id."""
        from converse_emulator import native

        wrong = native.judge(request)
        if not wrong:
            return request, self._by_rules(request)
        empty = request._replace(body={})  # what is wrong keeps nothing that the rules rely on
        if self.validation == "off":
            return empty, None
        return request, self._by_rules(empty) or Refused("", "ValidationException", wrong)

    def side_call(self, request: Request) -> Verdict:
        """What another operation is refused with; its `body` has all members of the input."""
        found = input_violations(operation_named(request.operation), request.body)
        return _invalid(found) if found else self._by_rules(request)

    def dialogue(self, request: Request) -> Verdict:
        """What a session is refused with before a word was said."""
        found = violations(request.operation, request.model_id, {"body": {}})
        return _invalid(found) if found else self._by_rules(request._replace(body={}))

    def _by_rules(self, request: Request) -> Verdict:
        if self.validation != "strict":
            return None
        from converse_emulator.judging.rules import (
            judge,  # the rules take 10 ms, and not every start needs them
        )

        return judge(request, self.validation, self.catalogue)


def _invalid(found: list[str]) -> Refused:
    return Refused("", "ValidationException", summary(found))


def refused_stream(message: str, delivery: Delivery) -> Timeline:
    """A stream of which all that comes is that the model refused the request."""
    frame = exception_frame("validationException", message)
    beats = (
        Beat(0.0, delivery.stream_head(0.0)),
        Beat(0.0, Send(frame, "validationException", 0)),
        Beat(0.0, Finish()),
    )
    return Timeline(beats, 0)
