"""A scenario as a run with the same seed will play it, request by request, without a connection.

The client of a rehearsal goes on with the conversation after an answer, and retries the call after a fault.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from converse_emulator.answering.answer import automatic_reply
from converse_emulator.choosing.request import Request
from converse_emulator.choosing.selection import Selection, Selector
from converse_emulator.choosing.turns import is_fault
from converse_emulator.language.library import Library
from converse_emulator.language.scenario import Json, Reply, Scenario
from converse_emulator.language.wrap import Wrap
from converse_emulator.playing.acts import Timeline
from converse_emulator.show import beat_line
from converse_emulator.spelling.timeline import compile_reply

EXAMPLE_MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
REQUESTS = 5  # that are shown where it depends on them what is played


@dataclass(frozen=True, slots=True)
class Run:
    """What a rehearsal shares with the run it foresees. The session is the default one."""

    seed: str
    model_id: str = EXAMPLE_MODEL
    operation: str = "ConverseStream"
    wrap: Wrap | None = None


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One request and what it gets."""

    call: int  # from 1
    attempt: int  # of the call, from 1
    selection: Selection
    timeline: Timeline


def example_request(run: Run) -> Request:
    """The request that a single reply is shown for."""
    return _request(None, run, 1)


def timeline_of(reply: Reply, request: Request, seed: str, wrap: Wrap | None = None) -> Timeline:
    """A reply as it would be sent now."""
    return compile_reply(reply, request, seed=seed, now=time.time(), wrap=wrap)


def rehearse(scenario: Scenario, run: Run, requests: int) -> Iterator[Rehearsed]:
    """What the first requests of a session get that name the scenario, all at its first moment."""
    selector = Selector(_Shelf(scenario), run.seed, run.wrap)
    call, attempt = 1, 1
    for _ in range(requests):
        request = _request(scenario, run, call)
        selection = selector.select(request)
        seed = selection.seed(run.seed, request.session)
        reply = selection.reply
        if reply is None:
            reply = automatic_reply(request, Random(seed))
        yield Rehearsed(call, attempt, selection, timeline_of(reply, request, seed, selection.wrap))
        call, attempt = (call, attempt + 1) if is_fault(reply) else (call + 1, 1)


def rehearsal_text(scenario: Scenario, run: Run, requests: int | None = None) -> str:
    """What a scenario is about and what it sends when; alternatives that no request got come last."""
    if requests is None:
        requests = max(len(scenario.replies), REQUESTS if scenario.instead else 1)
    lines = [scenario.name, f"  {scenario.title}", f"  A good handler: {scenario.handlers}"]
    shown = set()
    for number, each in enumerate(rehearse(scenario, run, requests), 1):
        shown.add(each.selection.instead)
        lines += ["", f"request {number}, call {each.call}, attempt {each.attempt}: {_what(scenario, each)}"]
        lines += map(beat_line, each.timeline.beats)
    for number, alternative in enumerate(scenario.instead, 1):
        if number not in shown:
            timeline = timeline_of(alternative.reply, _request(scenario, run, 1), run.seed, run.wrap)
            lines += ["", f"instead {number}, which none of these requests gets, {_tokens(timeline)}"]
            lines += map(beat_line, timeline.beats)
    return "\n".join(lines)


def _what(scenario: Scenario, rehearsed: Rehearsed) -> str:
    """What a request gets, and how much of it."""
    selection = rehearsed.selection
    if selection.instead is not None:
        what = f"instead {selection.instead}" if selection.instead else "throttled"
    elif selection.reply is None:
        what = "the automatic answer"
    else:
        number = next(i for i, reply in enumerate(scenario.replies, 1) if reply is selection.reply)
        what = f"reply {number} of {len(scenario.replies)}"
    return f"{what}, {_tokens(rehearsed.timeline)}"


def _tokens(timeline: Timeline) -> str:
    return f"{timeline.tokens} token{'' if timeline.tokens == 1 else 's'}"


def _request(scenario: Scenario | None, run: Run, call: int) -> Request:
    """The n-th call of a conversation that says as little as it can."""
    said = [{"role": "user", "content": [{"text": "Hello"}]}]
    for _ in range(call - 1):
        said += [{"role": "assistant", "content": [{"text": "Hello"}]}, said[0]]
    native = None if run.operation.startswith("Converse") else dict[str, Json]()
    headers = {"amz-sdk-invocation-id": str(call)}
    name = scenario.name if scenario else None
    return Request(run.operation, run.model_id, headers, {"messages": said}, scenario=name, native=native)


class _Shelf(Library):
    """A library with one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__()
        self._scenario = scenario

    def get(self, name: str) -> Scenario:  # noqa: ARG002  whatever is asked for
        return self._scenario

    def matching(self) -> tuple[Scenario, ...]:
        return ()
