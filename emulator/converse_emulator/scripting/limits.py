"""What a request allows its answer: `inferenceConfig.maxTokens` and `stopSequences`."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import NamedTuple

from converse_emulator.language.faults import Delivery, FrameFault, Insert
from converse_emulator.language.scenario import (
    Every,
    Gate,
    Json,
    Metadata,
    Reply,
    SplitBy,
    Step,
    Text,
    Usage,
    Wait,
)

# Steps that end no text block.
_WITHIN_TEXT = Wait | Every | SplitBy | Gate | Usage | Metadata | FrameFault | Insert | Delivery


class Limits(NamedTuple):
    """The limits of one request; None and () where it sets none."""

    max_tokens: int | None
    stop_sequences: tuple[str, ...]


def limits_of(body: Mapping[str, Json]) -> Limits:
    """The limits that a request body sets."""
    config = body.get("inferenceConfig") or {}
    return Limits(config.get("maxTokens"), tuple(config.get("stopSequences") or ()))


class StopPoint(NamedTuple):
    """Where `sequence` ends the generation: within the text of step number `step`."""

    sequence: str
    step: int
    text: Text  # what is left of that step


def stop_point(reply: Reply, sequences: Sequence[str]) -> StopPoint | None:
    """The first place where a text block completes a stop sequence, also across its steps."""
    for block in _text_blocks(reply):
        found = _generated("".join(step.text for _, step in block), sequences)
        if found is not None:
            length, sequence = found
            return _locate(block, length, sequence)
    return None


def _locate(block: Sequence[tuple[int, Text]], length: int, sequence: str) -> StopPoint:
    """The step of `block` in which its text is `length` characters long."""
    ends = list(accumulate(len(step.text) for _, step in block))
    place = bisect_left(ends, length)
    number, step = block[place]
    return StopPoint(sequence, number, replace(step, text=step.text[: length - ends[place] + len(step.text)]))


def _text_blocks(reply: Sequence[Step]) -> Iterator[list[tuple[int, Text]]]:
    run: list[tuple[int, Text]] = []
    for number, step in enumerate(reply):
        if isinstance(step, Text):
            run.append((number, step))
        elif not isinstance(step, _WITHIN_TEXT):
            yield run
            run = []
    yield run


def _generated(text: str, sequences: Sequence[str]) -> tuple[int, str] | None:
    """How much of `text` comes before the stop sequence that is complete first, and which it is."""
    found = [(at + len(each), at, each) for each in sequences if (at := text.find(each)) >= 0]
    return min(found)[1:] if found else None
