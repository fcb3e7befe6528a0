"""From the journal of a run back to a scenario that plays it again: the same bytes at the same moments.

Frames become `event` and `throw` steps, so that a person can read and change them; where the language cannot
say a response so, its frames stay bytes. New are what each response has of its own: request ids, dates,
padding.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence

from converse_emulator.errors import EmulatorError
from converse_emulator.language.loader import scenario_from, without_quotes
from converse_emulator.language.scenario import Json
from converse_emulator.playing.acts import Send
from converse_emulator.rehearsal import Run, example_request, timeline_of
from converse_emulator.replay_steps import CannotSay, refusal, step_of_act, unpadded

SHORTEST_WAIT = 0.0005  # seconds; less is the noise of a machine
LINE_BREAKS = frozenset("\x85\u2028\u2029")  # to YAML, which would fold them
STAY = {"wait": "forever"}  # where the client left, nobody knows what would have come
CUT = {"hangup": "connection"}  # what an outage did to the response that was there

Exchange = Mapping[str, Json]  # as `GET /_emulator/journal?data=1` has it


class CannotReplay(EmulatorError):
    """A journal that no scenario can be made of."""


def session_of(exchanges: Sequence[Exchange], session: str | None) -> list[Exchange]:
    """The exchanges of the session, which may only be left out where there is one."""
    known = sorted({str(each["session"]) for each in exchanges})
    if session is None and len(known) > 1:
        raise CannotReplay(f"the journal has {len(known)} sessions; name one of: {', '.join(known)}")
    if session is not None and session not in known:
        raise CannotReplay(f"the journal has no session {session!r}; it has: {', '.join(known) or 'none'}")
    return [each for each in exchanges if session in (None, each["session"])]


def scenario_of(exchanges: Sequence[Exchange]) -> dict[str, Json]:
    """The scenario, as a file has it; a reply for each exchange that was answered."""
    replies = [reply_of(each) for each in exchanges if each["acts"] or each["ended"] == "outage"]
    if not replies:
        raise CannotReplay("the journal has no exchange in which something was sent")
    run = f"session {exchanges[0]['session']!r}, {len(replies)} request{'s' if len(replies) > 1 else ''}"
    return {
        "title": f"Plays a recorded run again ({run}).",
        "handlers": "Does what it did then, or what it was mended to do.",
        "replies": replies,
    }


def reply_of(exchange: Exchange) -> list[Json]:
    """The steps that send what the exchange sent."""
    acts: Sequence[Exchange] = exchange["acts"]
    if any(act.get("act") is None for act in acts):
        raise CannotReplay("the journal lacks what was sent; `converse-emulator journal URL --json` has it")
    if exchange["ended"] == "refused" and (refused := refusal([act["act"] for act in acts])):
        return [*_waits(0.0, float(acts[0]["planned"])), refused]
    try:
        steps = _steps(exchange, literally=False)
        if _frames_of(steps, exchange) == unpadded(_sent(acts)):
            return steps
    except (CannotSay, EmulatorError):
        pass  # then not so
    try:
        return _steps(exchange, literally=True)
    except CannotSay as error:
        raise CannotReplay(str(error)) from error


def _steps(exchange: Exchange, *, literally: bool) -> list[Json]:
    """What each act was, and the waits between them."""
    acts: Sequence[Exchange] = exchange["acts"]
    was_cut = exchange["ended"] == "outage"
    if was_cut:
        acts = [
            act for act in acts if "hold" not in act["act"]
        ]  # what it would have sent for ever, has an end
    # Where a gate held, nobody had planned what came after.
    moment = "actual" if any("gate" in act["act"] for act in acts) else "planned"
    steps: list[Json] = []
    before, alone, ended = 0.0, False, False
    for act in acts:
        said = list(step_of_act(str(exchange["operation"]), act["act"], literally=literally))
        if said:
            steps += _waits(before, now := float(act[moment]))
            before = max(before, now)
        if act["act"].get("send", {}).get("alone", alone) != alone:
            alone = not alone
            steps.append({"chunks": "frames" if alone else "due"})
        if said and "trickle" in said[0] and said[0]["trickle"]["send"] == "byte":
            steps.pop()  # the beginning of the frame that never ends, which the step sends itself
        steps += said
        ended = not {"hold", "finish", "hangup", "reset"}.isdisjoint(act["act"])
    if was_cut:
        return [*steps, *_waits(before, float(exchange["ended_at"])), CUT]
    if steps[-1:] == ["finish"] and any("throw" in step for step in steps[-2:-1]):
        return steps[:-1]  # an exception ends the response by itself
    return steps if ended else [*steps, STAY]


def _waits(before: float, now: float) -> list[Json]:
    return [{"wait": round(now - before, 4)}] if now - before >= SHORTEST_WAIT else []


def _sent(acts: Sequence[Exchange]) -> Iterator[bytes]:
    return (b64decode(act["act"]["send"]["data"]) for act in acts if "send" in act["act"])


def _frames_of(steps: list[Json], exchange: Exchange) -> list[Json]:
    """What the steps send, to be compared with what was sent."""
    (reply,) = scenario_from({"reply": steps}, "replay").replies
    run = Run("replay", str(exchange["model_id"]), str(exchange["operation"]))
    beats = timeline_of(reply, example_request(run), "replay").beats
    return unpadded(beat.act.data for beat in beats if isinstance(beat.act, Send))


def as_yaml(scenario: Json) -> str:
    """The scenario as the text of a file."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  the language has none
            return True

    def string(dumper: Dumper, text: str) -> yaml.Node:
        style = '"' if LINE_BREAKS.intersection(text) or without_quotes(text) != text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, string)
    return yaml.dump(scenario, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)
