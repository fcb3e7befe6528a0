"""The moments of a performance with native chunks in place of events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from converse_emulator.http.responses import compact_json
from converse_emulator.language.faults import Cut, Tear
from converse_emulator.native.format import Answer, Document, Format, Unstreamable
from converse_emulator.scripting.performance import Emit, Moment, Raw

METRICS = "amazon-bedrock-invocationMetrics"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A moment; `document` is what its event became, where it was an event."""

    moment: Moment
    document: Document | None = None
    tokens: int = 0
    final: bool = False

    def played(self) -> Moment:
        if self.document is None:
            return self.moment
        return self.moment._replace(what=Raw(compact_json(self.document), "chunk", self.tokens))


def chunked(moments: Sequence[Moment], spelt: Format, answer: Answer) -> Iterator[Moment]:
    """The same moments with the chunks that their events are, the final one with what the call cost.

    What befalls an event befalls its first chunk; after a cut one nothing follows.
    """
    held: _Entry | None = None
    for entry in _entries(moments, spelt, answer):
        joined = _joined(held, entry, spelt) if held and entry.final else None
        if held and not joined:
            yield held.played()
        held = joined or entry
    if held:
        yield held.played()


def _entries(moments: Sequence[Moment], spelt: Format, answer: Answer) -> Iterator[_Entry]:
    if spelt.speech is None:
        raise Unstreamable
    speech = spelt.speech(answer)
    first: float | None = None
    tokens = 0  # said and not yet sent: not every event is a chunk
    for moment in moments:
        emit = moment.what
        if not isinstance(emit, Emit):
            yield _Entry(moment)
            continue
        documents = list(speech.event(emit))
        final = emit.type == "metadata"
        if final:
            documents = documents or [{}]
            documents[-1] |= answer.guardrail | _metrics(emit, spelt, moment.at if first is None else first)
        else:
            documents = [document | answer.guardrail_action for document in documents]
        if documents and first is None:
            first = moment.at
        tokens += emit.tokens
        for number, document in enumerate(documents, 1):
            last = number == len(documents)
            yield _Entry(moment, document, tokens if last else 0, final and last)
            tokens = 0 if last else tokens
            if any(isinstance(fault, Cut | Tear) for fault in moment.faults):
                break
            moment = moment._replace(injected=False, faults=())


def _joined(last: _Entry, final: _Entry, spelt: Format) -> _Entry | None:
    """The last two chunks as one, if they are due at the same time, unharmed, and the format has it so."""
    if spelt.join is None or last.document is None or final.document is None:
        return None
    if last.moment.injected or final.moment.injected or last.moment.at != final.moment.at:
        return None
    document = spelt.join(last.document, final.document)
    return None if document is None else replace(last, document=document)


def _metrics(metadata: Emit, spelt: Format, first: float) -> Document:
    """What the call cost, as the final chunk tells it."""
    usage = metadata.body["usage"]
    metrics = {
        "inputTokenCount": usage["inputTokens"],
        "outputTokenCount": usage["outputTokens"],
        "invocationLatency": metadata.body["metrics"]["latencyMs"],
        "firstByteLatency": round(first * 1000),
    }
    if spelt.caches or "cacheReadInputTokens" in usage:
        for kind in ("Read", "Write"):
            metrics[f"cache{kind}InputTokenCount"] = usage.get(f"cache{kind}InputTokens", 0)
    return {METRICS: metrics}
