"""One answer from beginning to end: calls of Bedrock, retries, deadlines, the rounds of the tool loop.

`Answer.events` is an async generator of canonical events that never raises: whatever breaks becomes the one
`Failed` at its end. Closing or cancelling it at any point lets go of Bedrock and of the tools at once.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, closing
from itertools import count
from typing import Any, Protocol
from uuid import uuid4

from converse_handler.deadlines import Deadline, Deadlines
from converse_handler.events import Event, Finished, Started, Text, ToolFinished, ToolStarted, Usage
from converse_handler.failures import POLICIES, Broken, explain, failed
from converse_handler.settings import Settings
from converse_handler.tools import TIMEOUT, Outcome, Tools
from converse_handler.turn import Stopped, ToolCall, Turn

log = logging.getLogger("converse_handler")

Message = dict[str, Any]  # in Bedrock's form


class Call(Protocol):
    """A call of ConverseStream that is under way."""

    async def next(self) -> Mapping[str, Any] | None:
        """The next event, None once the body is over; raises what botocore raises. Safe to cancel."""

    def close(self) -> None:
        """Let go of it, wherever it stands."""


class Model(Protocol):
    """What makes calls of ConverseStream."""

    def start(self, request: Mapping[str, Any]) -> Call:
        """Begin a call."""


class Answer:
    """The answer to `messages`. Iterate `events` once; the public attributes are for the log."""

    def __init__(
        self,
        messages: list[Message],
        model: Model,
        tools: Tools,
        settings: Settings,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.id = f"msg_{uuid4().hex}"
        self.calls = 0
        self.cause: BaseException | None = None  # what a failure came from
        self._messages = list(messages)
        self._model, self._tools, self._settings, self._chance = model, tools, settings, chance
        self._turn = Turn()
        self._usages: list[Usage | None] = []
        self._started = False  # the browser has had an event
        self._spoken = False  # the browser has had text

    async def events(self) -> AsyncGenerator[Event]:
        """`Started`, whatever comes of it, and exactly one of `Finished` and `Failed` as the last event."""
        try:
            async with aclosing(self._rounds()) as events:
                async for event in events:
                    self._spoken = self._spoken or isinstance(event, Text)
                    yield event
        except Exception as error:
            broken = error if isinstance(error, Broken) else Broken("internal")
            self.cause = broken.__cause__ if broken is error else error
            if broken is not error:
                log.exception("answer %s: a bug", self.id)
            if not self._started:
                yield Started(self.id)
            for event in self._turn.close():
                yield event
            yield failed(broken, partial=self._spoken)

    async def _rounds(self) -> AsyncGenerator[Event]:
        deadlines = Deadlines(self._settings.limits, answer_began=_now(), call_began=_now())
        for number in count(1):
            self._turn = Turn(self._turn.next_index)
            async with aclosing(self._ask(deadlines.calling(_now()))) as events:
                async for event in events:
                    yield event
            self._usages.append(self._turn.usage)
            end = self._turn.end()
            if isinstance(end, Stopped):
                yield Finished(end.reason, end.truncated, _total(self._usages))
                return
            if number > self._settings.tool_rounds:
                raise Broken("tool_rounds_exceeded")
            outcomes: dict[str, Outcome] = {}
            async with aclosing(self._dispatch(end, outcomes, deadlines.total)) as events:
                async for event in events:
                    yield event
            results = [outcomes[call.id].block(call.id) for call in end]
            self._messages += [self._turn.message(), {"role": "user", "content": results}]

    async def _ask(self, deadlines: Deadlines) -> AsyncGenerator[Event]:
        """One message of the model. The call is made again as long as nothing has reached the browser."""
        for attempt in count(1):
            try:
                async with aclosing(self._attempt(deadlines)) as events:
                    async for event in events:
                        yield event
                return
            except Broken as broken:
                if not self._may_retry(broken, attempt):
                    raise
                pause = self._settings.retries.pause(attempt, self._chance(), broken.retry_after)
                if _now() + pause >= deadlines.next.at:  # it would come too late anyway
                    raise
            await asyncio.sleep(pause)

    def _may_retry(self, broken: Broken, attempt: int) -> bool:
        allowed = self._settings.retries.allow(attempt, started=self._started)
        return allowed and POLICIES[broken.code].automatic

    async def _attempt(self, deadlines: Deadlines) -> AsyncGenerator[Event]:
        self.calls += 1
        with closing(self._model.start(self._request())) as call:
            while (item := await _within(deadlines.next, call)) is not None:
                if not self._started:
                    self._started = True
                    yield Started(self.id)
                for event in self._turn.feed(item):
                    yield event
                deadlines = deadlines.heard(_now())
        if deadlines.heard_at is None:
            raise Broken("stream_interrupted")  # 200, and nothing in it

    def _request(self) -> dict[str, Any]:
        return {
            "modelId": self._settings.model_id,
            "messages": self._messages,
            "system": [{"text": self._settings.system_prompt}],
            "inferenceConfig": {"maxTokens": self._settings.max_tokens},
            "toolConfig": self._tools.config(),
        }

    async def _dispatch(
        self, calls: tuple[ToolCall, ...], outcomes: dict[str, Outcome], total: Deadline
    ) -> AsyncGenerator[Event]:
        """Run the tools side by side; fills `outcomes` by call id. What takes too long counts as failed."""
        for call in calls:
            yield ToolStarted(call.id, call.name, self._tools.label(call.name))
        until = min(_now() + self._settings.tool_timeout, total.at)
        with closing(self._tools.run(calls)) as run:
            while len(outcomes) < len(calls):
                try:
                    async with asyncio.timeout_at(until):
                        call, outcome = await run.next()
                except TimeoutError:
                    break
                outcomes[call.id] = outcome
                yield ToolFinished(call.id, call.name, outcome.error)
        for call in calls:
            if call.id not in outcomes:
                outcomes[call.id] = TIMEOUT
                yield ToolFinished(call.id, call.name, TIMEOUT.error)
        if _now() >= total.at:
            raise Broken(total.code)


async def _within(deadline: Deadline, call: Call) -> Mapping[str, Any] | None:
    try:
        async with asyncio.timeout_at(deadline.at) as timeout:
            return await call.next()
    except Exception as error:
        broken = Broken(deadline.code) if timeout.expired() else explain(error)
        raise broken from error


def _total(usages: list[Usage | None]) -> Usage | None:
    """The sum, or None if a call said nothing of its own: a part of the truth would look like all of it."""
    known = [usage for usage in usages if usage is not None]
    if len(known) < len(usages):
        return None
    return Usage(sum(usage.input_tokens for usage in known), sum(usage.output_tokens for usage in known))


def _now() -> float:
    return asyncio.get_running_loop().time()
