"""The rules of order within a reply: what can follow what."""

from collections.abc import Iterable, Iterator, Sequence

from converse_emulator.errors import Mistake
from converse_emulator.language.scenario import (
    FOREVER,
    Bytes,
    Content,
    Corrupt,
    Cut,
    Event,
    Finish,
    Hangup,
    Pace,
    Reasoning,
    Refuse,
    Reset,
    Step,
    Stop,
    Text,
    Throw,
    ToolUse,
    Wait,
)

Placed = tuple[Step, str]  # a step and its place


def violations(steps: Sequence[Placed]) -> list[Mistake]:
    """What stands where it cannot."""
    return [
        *_after_the_end(steps),
        *_refused(steps),
        *_after_a_cut(steps),
        *_undamaged(steps),
        *_misspelt(steps),
    ]


def ends_reply(step: Step) -> bool:
    """Nothing can come after this step."""
    return isinstance(step, Refuse | Throw | Finish | Hangup | Reset) or step == Wait(FOREVER)


def bytes_alone(steps: Iterable[Step]) -> bool:
    """All that the steps say is literal bytes: then nothing is implied around them."""
    said = [step for step in steps if isinstance(step, Content)]
    return bool(said) and all(isinstance(step, Bytes) for step in said)


def carries_frame(step: Step) -> bool:
    """The step itself sends a frame."""
    return isinstance(step, Content | Stop | Throw)


def _after_the_end(steps: Sequence[Placed]) -> Iterator[Mistake]:
    ended = next((i for i, (step, _) in enumerate(steps) if ends_reply(step)), len(steps))
    for _, place in steps[ended + 1 : ended + 2]:
        yield Mistake(place, "the step before this one ends the reply", "nothing after it")


def _refused(steps: Sequence[Placed]) -> Iterator[Mistake]:
    """A refusal comes in place of the stream."""
    for i, (step, place) in enumerate(steps):
        if isinstance(step, Refuse) and not all(isinstance(before, Pace) for before, _ in steps[:i]):
            yield Mistake(
                place, "a refusal comes in place of the stream", "wait, every, split and gate before it"
            )


def _after_a_cut(steps: Sequence[Placed]) -> Iterator[Mistake]:
    """The cut frame is the last one of the response."""
    cut = next((i for i, (step, _) in enumerate(steps) if isinstance(step, Cut)), len(steps))
    frames = [place for step, place in steps[cut + 1 :] if carries_frame(step) or isinstance(step, Cut)]
    for place in frames[1:2]:
        yield Mistake(
            place, "never sent: a frame before it is cut", "one step for the frame that is cut, then an end"
        )


def _undamaged(steps: Sequence[Placed]) -> Iterator[Mistake]:
    """Damage needs a frame; an implied one will do for a cut, and where the reply does not end itself."""
    alone = bytes_alone(step for step, _ in steps)
    for i, (step, place) in enumerate(steps):
        if not isinstance(step, Corrupt | Cut):
            continue
        later = [following for following, _ in steps[i + 1 :]]
        implied = isinstance(step, Cut) or not any(map(ends_reply, later))
        complete = alone or any(isinstance(each, Event) and each.type == "metadata" for each, _ in steps[:i])
        if not any(map(carries_frame, later)) and (complete or not implied):
            yield Mistake(place, "no frame comes after it that could be damaged", "text, event, … after it")


def _misspelt(steps: Sequence[Placed]) -> Iterator[Mistake]:
    """Literal pieces are pieces of the text beside them; what they leave over is sent as the last one."""
    for step, place in steps:
        match step:
            case Text(text, split=tuple(pieces)) | Reasoning(text, split=tuple(pieces)):
                pass
            case ToolUse(input=str(text), split=tuple(pieces)):
                pass
            case _:
                continue
        if not text.startswith("".join(pieces)):
            yield Mistake(
                place, "the pieces of `split` do not spell the text", "pieces that, joined, begin it"
            )
