"""What happens at a byte of the body: an end, or a pause."""

from collections.abc import Iterator, Sequence
from random import Random

from converse_emulator.language.scenario import Finish, Forever, Hangup, Placed, Reset, Span, Wait
from converse_emulator.playing.acts import Beat, Hold, Send, payload
from converse_emulator.scripting.placing import act_of


def at_bytes(
    beats: Sequence[Beat], steps: Sequence[Placed], rng: Random
) -> tuple[Sequence[Beat], list[Placed]]:
    """The beats with each step at its byte, and the steps for which the body is too short."""
    nowhere = []
    for placed in steps:
        byte = placed.place.byte or 0
        if byte > sum(len(payload(beat.act)) for beat in beats):
            nowhere.append(placed)
        else:
            beats = list(_at(beats, placed, byte, rng))
    return beats, nowhere


def _at(beats: Sequence[Beat], placed: Placed, byte: int, rng: Random) -> Iterator[Beat]:
    before, at, after = _divided(beats, byte)
    yield from before
    match placed.step:
        case Wait(length) if not isinstance(length, Forever):
            seconds = rng.uniform(length.shortest, length.longest) if isinstance(length, Span) else length
            yield from (beat._replace(at=beat.at + seconds, injected=True) for beat in after[:1])
            yield from (beat._replace(at=beat.at + seconds) for beat in after[1:])
        case Wait():
            yield Beat(at, Hold(), injected=True)
        case Finish() | Hangup() | Reset() as step:
            yield Beat(at, act_of(step), injected=True)
        case _:
            raise AssertionError("the loader lets nothing else happen at a byte")


def _divided(beats: Sequence[Beat], byte: int) -> tuple[list[Beat], float, list[Beat]]:
    """What comes before that byte, when it comes, and what comes after."""
    left = byte
    for number, beat in enumerate(beats):
        data = payload(beat.act)
        if not data:
            continue
        if left < len(data):
            send = beat.act
            assert isinstance(send, Send)
            first = send._replace(data=data[:left], what=f"{send.what}, cut", tokens=0)
            begin = [beat._replace(act=first, injected=True)] if left else []
            rest = beat._replace(act=send._replace(data=data[left:]))
            return [*beats[:number], *begin], beat.at, [rest, *beats[number + 1 :]]
        left -= len(data)
    last = len(beats) - 1
    return list(beats[:last]), beats[last].at, list(beats[last:])
