"""The operations besides inference: those that answer with one JSON document of their own.

Their input is gathered from path, query and body, so that each is a function of the members that the service
model names.
"""

import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from converse_emulator.choosing.request import Request
from converse_emulator.language.scenario import Json
from converse_emulator.models.catalogue import Catalogue
from converse_emulator.shapes.service import Operation, labels, query_members
from converse_emulator.side.async_invokes import AsyncInvokes
from converse_emulator.side.counting import count_tokens
from converse_emulator.side.guardrail_checks import invoke_guardrail_checks
from converse_emulator.side.guardrails import apply_guardrail
from converse_emulator.side.listings import (
    get_foundation_model,
    get_inference_profile,
    list_foundation_models,
    list_inference_profiles,
)

REGION = "us-east-1"
_SCOPE = re.compile(r"Credential=[^/,\s]+/\d+/([a-z0-9-]+)/")

Answer = Callable[[Request], Json]


def input_of(operation: Operation, raw_path: str, query: str, body: Mapping[str, Json]) -> dict[str, Json]:
    """The members of an operation's input. What the service model does not know of the query is left out."""
    known = query_members(operation)
    given = parse_qsl(query, keep_blank_values=True)
    asked = {known[name][0]: _typed(value, known[name][1]) for name, value in given if name in known}
    return {**body, **asked, **labels(operation, raw_path)}


def _typed(value: str, kind: str) -> Json:
    return int(value) if kind == "integer" and re.fullmatch(r"-?\d{1,18}", value) else value


def region_of(headers: Mapping[str, str]) -> str:
    """The region that a request was signed for."""
    signed = _SCOPE.search(headers.get("authorization", ""))
    return signed[1] if signed else REGION


class SideCalls:
    """Answers them. A request's `body` has all members of the input, as `input_of` gathers them."""

    def __init__(self, catalogue: Callable[[], Catalogue], asyncs: AsyncInvokes) -> None:
        self._catalogue = catalogue
        self.asyncs = asyncs
        self._answers: Mapping[str, Answer] = {
            "ApplyGuardrail": lambda request: apply_guardrail(request.body),
            "CountTokens": lambda request: count_tokens(request.body),
            "GetAsyncInvoke": lambda request: asyncs.get(request.body, request.session),
            "InvokeGuardrailChecks": lambda request: invoke_guardrail_checks(request.body),
            "ListAsyncInvokes": lambda request: asyncs.list(request.body, request.session),
            "StartAsyncInvoke": self._start_async_invoke,
            "GetFoundationModel": self._listing(get_foundation_model),
            "GetInferenceProfile": self._listing(get_inference_profile),
            "ListFoundationModels": self._listing(list_foundation_models),
            "ListInferenceProfiles": self._listing(list_inference_profiles),
        }

    @property
    def operations(self) -> frozenset[str]:
        """The names of the operations that are answered here."""
        return frozenset(self._answers)

    def answer(self, request: Request) -> Json:
        """The body of the answer; raises `ServiceError`."""
        return self._answers[request.operation](request)

    def _start_async_invoke(self, request: Request) -> Json:
        return self.asyncs.start(request.body, request.session, region_of(request.headers))

    def _listing(self, function: Callable[[Mapping[str, Json], Catalogue, str], Json]) -> Answer:
        return lambda request: function(request.body, self._catalogue(), region_of(request.headers))
