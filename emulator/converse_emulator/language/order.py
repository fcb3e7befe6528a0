"""The rules of order within a reply: what can follow what."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from converse_emulator.errors import Mistake
from converse_emulator.language.faults import (
    Chunks,
    Cut,
    Drip,
    FrameFault,
    HeadSays,
    Interim,
    Tear,
    Trickle,
    Unknown,
    Wild,
)
from converse_emulator.language.scenario import (
    FOREVER,
    Bytes,
    Content,
    Event,
    Finish,
    Hangup,
    Pace,
    Placed,
    Reasoning,
    Refuse,
    Reply,
    Reset,
    Step,
    Stop,
    Text,
    Throw,
    ToolUse,
    Wait,
)

BEFORE_REFUSAL = Pace | Chunks | Drip | HeadSays | Interim | Wild  # what may come before one

Written = tuple[Step, str]  # a step and where it is written


def violations(steps: Sequence[Written]) -> list[Mistake]:
    """What stands where it cannot; steps with a place of their own may stand anywhere."""
    steps = [(step, place) for step, place in steps if not isinstance(step, Placed | HeadSays)]
    return [
        *_after_the_end(steps),
        *_refused(steps),
        *_after_a_cut(steps),
        *_undamaged(steps),
        *_before_the_head(steps),
        *_misspelt(steps),
    ]


def ends_reply(step: Step) -> bool:
    """Nothing can come after this step."""
    return isinstance(step, Refuse | Throw | Finish | Hangup | Reset | Trickle) or step == Wait(FOREVER)


def bytes_alone(steps: Iterable[Step]) -> bool:
    """All that the steps say is literal bytes: then nothing is implied around them."""
    said = [step for step in steps if isinstance(step, Content)]
    return bool(said) and all(isinstance(step, Bytes) for step in said)


def carries_frame(step: Step) -> bool:
    """The step itself sends a frame."""
    return isinstance(step, Content | Stop | Throw | Unknown)


def says_the_end(step: Step) -> bool:
    """The step says how the message or the response ends."""
    return (
        ends_reply(step)
        or isinstance(step, Stop | Cut | Tear)
        or (isinstance(step, Event) and step.type == "messageStop")
    )


def last_of(steps: Sequence[Step], kind: Callable[[Step], bool]) -> int:
    """The index of the last step of this kind; -1 if there is none."""
    return next((i for i in reversed(range(len(steps))) if kind(steps[i])), -1)


def refusal_alone(reply: Reply) -> Reply:
    """A reply that refuses is nothing else: of the steps before it those that say nothing are kept."""
    for number, step in enumerate(reply):
        if isinstance(step, Refuse):
            return (*(before for before in reply[:number] if isinstance(before, BEFORE_REFUSAL)), step)
    return reply


def _after_the_end(steps: Sequence[Written]) -> Iterator[Mistake]:
    ended = next((i for i, (step, _) in enumerate(steps) if ends_reply(step)), len(steps))
    for _, place in steps[ended + 1 : ended + 2]:
        yield Mistake(place, "the step before this one ends the reply", "nothing after it")


def _refused(steps: Sequence[Written]) -> Iterator[Mistake]:
    """A refusal comes in place of the stream."""
    for i, (step, place) in enumerate(steps):
        if isinstance(step, Refuse) and not all(
            isinstance(before, BEFORE_REFUSAL) for before, _ in steps[:i]
        ):
            yield Mistake(
                place,
                "a refusal comes in place of the stream",
                "wait, every, split, gate, head, chunks, drip, interim and raw before it",
            )


def _before_the_head(steps: Sequence[Written]) -> Iterator[Mistake]:
    """What is about the head comes before all content; what cuts HTTP's own framing leaves no proper end."""
    said = False
    for i, (step, place) in enumerate(steps):
        if said and (isinstance(step, Interim) or step == Trickle("interim") or _tears_head(step)):
            yield Mistake(place, "the head has been sent before this", "it, before all content")
        said = said or carries_frame(step)
        if isinstance(step, Tear) and any(isinstance(after, Finish | Trickle) for after, _ in steps[i + 1 :]):
            yield Mistake(
                place, "what is torn cannot end properly", "hangup, reset or `wait: forever` after it"
            )


def _tears_head(step: Step) -> bool:
    return isinstance(step, Tear) and step.head


def _after_a_cut(steps: Sequence[Written]) -> Iterator[Mistake]:
    """The cut frame is the last one of the response."""
    cut = next((i for i, (step, _) in enumerate(steps) if isinstance(step, Cut | Tear)), len(steps))
    frames = [
        place for step, place in steps[cut + 1 :] if carries_frame(step) or isinstance(step, Cut | Tear)
    ]
    for place in frames[1:2]:
        yield Mistake(
            place, "never sent: a frame before it is cut", "one step for the frame that is cut, then an end"
        )


def _undamaged(steps: Sequence[Written]) -> Iterator[Mistake]:
    """Damage needs a frame; an implied one will do for a cut, and where the reply does not end itself."""
    bare = [step for step, _ in steps]
    end, frame = last_of(bare, ends_reply), last_of(bare, carries_frame)
    complete = bytes_alone(bare)
    for i, (step, place) in enumerate(steps):
        complete = complete or (isinstance(step, Event) and step.type == "metadata")
        if not isinstance(step, FrameFault) or _tears_head(step):
            continue
        implied = isinstance(step, Cut | Tear) or end <= i
        if frame <= i and (complete or not implied):
            yield Mistake(place, "no frame comes after it that could be damaged", "text, event, … after it")


def _misspelt(steps: Sequence[Written]) -> Iterator[Mistake]:
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
