"""The two operations: performances as native bodies, and as streams of native chunks."""

from collections.abc import Callable, Iterator, Sequence
from random import Random

from converse_emulator.choosing.request import Request
from converse_emulator.framing.frames import chunk_frame, draw_padding
from converse_emulator.http.responses import Response, compact_json
from converse_emulator.language.scenario import Json
from converse_emulator.native import requests
from converse_emulator.native.chunks import chunked
from converse_emulator.native.format import Answer, Unspeakable
from converse_emulator.native.formats import format_of, known_format
from converse_emulator.playing.acts import Beat
from converse_emulator.scripting.performance import Emit, Performance, Raw
from converse_emulator.scripting.tokens import count_request
from converse_emulator.spelling.blocking import blocking_beats
from converse_emulator.spelling.delivery import Delivery
from converse_emulator.spelling.fold import fold
from converse_emulator.spelling.streaming import stream_beats

STREAMED_TYPE = ("X-Amzn-Bedrock-Content-Type", "application/json")

read = requests.read
judge = requests.judge


def wordless(request: Request) -> bool:
    """Whether a model answers with other things than words: numbers, pictures."""
    known = known_format(request.model, request.native or {})
    return request.native is not None and known is not None and not known.speaks


def silent(request: Request) -> Callable[[Emit], bool] | None:
    """What tells the events that make no chunk."""
    known = known_format(request.model, request.native or {})
    return known.silent if known else None


def invoke_model(
    performance: Performance, request: Request, delivery: Delivery, rng: Random
) -> Iterator[Beat]:
    """The beats of an InvokeModel response."""

    def respond(said: Sequence[Emit], at: float) -> Response:
        spelt = format_of(request.model, request.native or {})
        answer = _answer(performance, request, delivery, rng)
        message = fold((emit.type, emit.body) for emit in said)
        latency = message.get("metrics", {}).get("latencyMs", round(at * 1000))
        body = compact_json(spelt.body(answer, message) | answer.guardrail)
        headers = _counts(answer, latency, cached=spelt.caches, speaks=spelt.speaks)
        return delivery.body(body, at, (*headers, *requests.echoed(request)))

    return blocking_beats(performance.moments, respond, delivery)


def invoke_model_with_response_stream(
    performance: Performance, request: Request, delivery: Delivery, rng: Random
) -> Iterator[Beat]:
    """The beats of an InvokeModelWithResponseStream response."""
    moments = performance.moments
    if any(isinstance(moment.what, Emit) for moment in moments):
        spelt = format_of(request.model, request.native or {})
        moments = tuple(chunked(moments, spelt, _answer(performance, request, delivery, rng)))

    def frame(content: Emit | Raw) -> bytes:
        assert isinstance(content, Raw)  # `chunked` leaves no events
        return chunk_frame(content.data, draw_padding(rng))

    return stream_beats(moments, frame, delivery, (STREAMED_TYPE, *requests.echoed(request)))


def documents(performance: Performance, request: Request) -> list[Json]:
    """What the model itself would say in a stream or else as a body; nothing if its format is not known.

    Where an answer cannot be said natively nothing is known of it either.
    """
    spelt = known_format(request.model, {})
    if spelt is None:
        return []
    delivery = Delivery("", 0.0, 1.0)
    answer = _answer(performance, request, delivery, Random(0))
    said = [moment.what for moment in performance.moments if isinstance(moment.what, Emit)]
    try:
        if request.operation == "ConverseStream" and spelt.speech:
            speech = spelt.speech(answer)
            return [document for emit in said for document in speech.event(emit)]
        return [spelt.body(answer, fold((emit.type, emit.body) for emit in said))]
    except Unspeakable:
        return []


def _answer(performance: Performance, request: Request, delivery: Delivery, rng: Random) -> Answer:
    said = [moment.what for moment in performance.moments if isinstance(moment.what, Emit)]
    stop = next((emit.body for emit in said if emit.type == "messageStop"), {})
    told = next((emit.body for emit in said if emit.type == "metadata"), {})
    counted = {"inputTokens": count_request(request.body), "outputTokens": performance.tokens}
    return Answer(
        request,
        rng,
        int(delivery.now),
        told.get("usage", counted),
        performance.stop_sequence,
        str(stop.get("stopReason", "")),
        told.get("trace", {}).get("guardrail"),
        told.get("metrics", {}).get("latencyMs", 0),
    )


def _counts(answer: Answer, latency: int, *, cached: bool, speaks: bool) -> Iterator[tuple[str, str]]:
    """The headers that count, in the order in which they are sent."""
    yield "X-Amzn-Bedrock-Invocation-Latency", str(latency)
    if cached or "cacheReadInputTokens" in answer.usage:
        for kind in ("Write", "Read"):
            tokens = answer.usage.get(f"cache{kind}InputTokens", 0)
            yield f"X-Amzn-Bedrock-Cache-{kind}-Input-Token-Count", str(tokens)
    if speaks:
        yield "X-Amzn-Bedrock-Output-Token-Count", str(answer.said)
    yield "X-Amzn-Bedrock-Input-Token-Count", str(answer.sent)
