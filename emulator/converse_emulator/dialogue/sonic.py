"""A reply in the events of Amazon Nova Sonic: what is planned as text, then as sound, then what was said.

    completionStart
    contentStart, textOutput …, contentEnd       TEXT of the USER: what was heard, where it was speech
    contentStart, textOutput …, contentEnd       TEXT of the ASSISTANT, SPECULATIVE: what it is about to say
    contentStart, audioOutput …, contentEnd      AUDIO, where the prompt asks for it
    contentStart, toolUse, contentEnd            TOOL, for each call
    contentStart, textOutput, contentEnd         TEXT, FINAL: what it has said
    usageEvent, completionEnd

A completion that calls tools goes on with their results. Keys are in alphabetical order. The events and their
members are documented, and seen in the wild; inferred are where completions begin and end, and all counts.
Nobody speaks: the sound is a quiet tone as long as the text would take.
"""

import math
import struct
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random

from converse_emulator.dialogue.hearing import Hearing, Turn
from converse_emulator.language.scenario import Json
from converse_emulator.scripting import ids
from converse_emulator.scripting.performance import Emit

Document = dict[str, Json]

PIECE = 0.1  # seconds of sound in an event
PACE = 15  # characters spoken a second
LONGEST = 30.0  # seconds of sound for one text
SPEECH_TOKENS = 25  # a second of sound
RATE = 24_000  # samples a second, unless the prompt wants others
TONE, LOUDNESS = 200, 2000  # Hz; of 32,767


@dataclass(slots=True)
class Voice:
    """One session's: ids, and what was counted so far."""

    rng: Random
    session_id: str = ""
    completion_id: str = ""
    totals: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.session_id = ids.request_id(self.rng)


class Speech:
    """Spells the events of one reply."""

    def __init__(self, voice: Voice, hearing: Hearing, turn: Turn) -> None:
        self._voice = voice
        self._hearing = hearing
        self._turn = turn
        self._content = ""  # the id of the text that is open
        self._text = ""  # of the open block
        self._said: list[str] = []  # texts that were spoken
        self._call: Mapping[str, Json] | None = None
        self._input = ""  # of the open call
        self._sound = 0.0  # seconds of it
        self._reason = ""

    def event(self, emit: Emit) -> Iterator[Document]:
        """The events of Sonic that an event of Converse is."""
        match emit.type, emit.body:
            case "messageStart", _:
                yield from self._begin()
            case "contentBlockStart", {"start": {"toolUse": dict(call)}}:
                self._call, self._input = call, ""
            case "contentBlockDelta", {"delta": {"text": str(text)}} if text:
                yield from self._text_delta(text)
            case "contentBlockDelta", {"delta": {"toolUse": {"input": str(text)}}}:
                self._input += text
            case "contentBlockStop", _:
                yield from self._stop()
            case "messageStop", {"stopReason": reason}:
                self._reason = str(reason)
                for text in self._said:
                    yield from self._block_of_text("ASSISTANT", "FINAL", text, "END_TURN")
            case "metadata", {"usage": dict(usage)}:
                yield self._usage(usage)
                if self._reason != "tool_use":
                    yield self._event("completionEnd", stopReason=self._reason.upper())

    def _begin(self) -> Iterator[Document]:
        if not self._turn.continues:
            self._voice.completion_id = ids.request_id(self._voice.rng)
            yield self._event("completionStart")
        if self._turn.spoken:
            heard = f"[{self._turn.spoken:.1f} s of speech]"
            yield from self._block_of_text("USER", "FINAL", heard, "END_TURN")

    def _text_delta(self, text: str) -> Iterator[Document]:
        if not self._content:
            self._content = ids.request_id(self._voice.rng)
            yield self._text_start("ASSISTANT", "SPECULATIVE")
        self._text += text
        yield self._inside("textOutput", content=text, role="ASSISTANT")

    def _stop(self) -> Iterator[Document]:
        if self._call is not None:
            yield from self._tool_use(self._call)
            self._call = None
        elif self._content:
            yield self._inside("contentEnd", stopReason="PARTIAL_TURN", type="TEXT")
            yield from self._audio(self._text)
            self._said.append(self._text)
            self._content = self._text = ""

    def _tool_use(self, call: Mapping[str, Json]) -> Iterator[Document]:
        self._content = ids.request_id(self._voice.rng)
        yield self._inside(
            "contentStart",
            role="TOOL",
            toolUseOutputConfiguration={"mediaType": "application/json"},
            type="TOOL",
        )
        yield self._inside(
            "toolUse",
            content=self._input or "{}",
            toolName=call["name"],
            toolUseId=call["toolUseId"],
            role="TOOL",
        )
        yield self._inside("contentEnd", stopReason="TOOL_USE", type="TOOL")
        self._content = ""

    def _audio(self, text: str) -> Iterator[Document]:
        audio = self._hearing.audio
        if audio is None:
            return
        rate = audio.get("sampleRateHertz")
        rate = rate if isinstance(rate, int) and 0 < rate <= 48_000 else RATE
        pieces = math.ceil(min(LONGEST, len(text) / PACE) / PIECE)
        self._sound += pieces * PIECE
        self._content = ids.request_id(self._voice.rng)
        shape = {
            "audioType": "SPEECH",
            "channelCount": 1,
            "encoding": "base64",
            "mediaType": "audio/lpcm",
            "sampleRateHertz": rate,
            "sampleSizeBits": 16,
        }
        yield self._inside("contentStart", audioOutputConfiguration=shape, role="ASSISTANT", type="AUDIO")
        for _ in range(pieces):
            yield self._inside("audioOutput", content=tone(rate), role="ASSISTANT")
        yield self._inside("contentEnd", stopReason="END_TURN", type="AUDIO")

    def _block_of_text(self, role: str, stage: str, text: str, reason: str) -> Iterator[Document]:
        self._content = ids.request_id(self._voice.rng)
        yield self._text_start(role, stage)
        yield self._inside("textOutput", content=text, role=role)
        yield self._inside("contentEnd", stopReason=reason, type="TEXT")
        self._content = ""

    def _text_start(self, role: str, stage: str) -> Document:
        return self._inside(
            "contentStart",
            additionalModelFields=f'{{"generationStage":"{stage}"}}',
            role=role,
            textOutputConfiguration={"mediaType": "text/plain"},
            type="TEXT",
        )

    def _usage(self, usage: Mapping[str, Json]) -> Document:
        """What this reply added, and what the session has come to."""
        delta = {
            ("input", "speechTokens"): round(self._turn.spoken * SPEECH_TOKENS),
            ("input", "textTokens"): max(
                0, usage["inputTokens"] - self._voice.totals.get(("input", "textTokens"), 0)
            ),
            ("output", "speechTokens"): round(self._sound * SPEECH_TOKENS),
            ("output", "textTokens"): usage["outputTokens"],
        }
        totals = self._voice.totals
        for key, tokens in delta.items():
            totals[key] = totals.get(key, 0) + tokens
        came, went = (sum(n for (way, _), n in totals.items() if way == each) for each in ("input", "output"))
        return self._event(
            "usageEvent",
            details={"delta": _nested(delta), "total": _nested(totals)},
            totalInputTokens=came,
            totalOutputTokens=went,
            totalTokens=came + went,
        )

    def _inside(self, name: str, **members: Json) -> Document:
        return self._event(name, contentId=self._content, **members)

    def _event(self, name: str, **members: Json) -> Document:
        own = {
            "completionId": self._voice.completion_id,
            "promptName": self._hearing.prompt,
            "sessionId": self._voice.session_id,
        }
        return {"event": {name: own | members}}


def name_of(document: Mapping[str, Json]) -> str:
    """The name of an event."""
    return str(next(iter(document["event"])))


def _nested(counts: Mapping[tuple[str, str], int]) -> Document:
    nested: Document = {}
    for (way, kind), tokens in counts.items():
        nested.setdefault(way, {})[kind] = tokens
    return nested


@lru_cache(4)
def tone(rate: int) -> str:
    """A piece of sound: 16-bit PCM of so many samples a second, in base64."""
    samples = (round(LOUDNESS * math.sin(2 * math.pi * TONE * i / rate)) for i in range(round(rate * PIECE)))
    return b64encode(b"".join(struct.pack("<h", sample) for sample in samples)).decode()
