"""Mutants that wait wrongly: for Bedrock, for tools, for a browser that has gone; and what they keep."""
# ruff: noqa: ARG002  # an overridden hook has the arguments of its original

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

from botocore.eventstream import EventStreamBuffer
from starlette.requests import Request
from starlette.responses import Response

from converse_contract.mutants.base import Handler
from converse_contract.mutants.bedrock import Call, Event
from converse_contract.mutants.words import Broken, Messages, Out, Settings

# ---------------------------------------------------------------------------------------------- time limits


class NoFirstByteLimit(Handler):
    """Waits for the model as long as it takes."""

    caught_by: ClassVar = ("6.1",)

    def first_limit(self) -> tuple[float | None, str]:
        return None, "first_byte_timeout"


class NoLimitBetweenBytes(Handler):
    """What has begun to speak will go on."""

    caught_by: ClassVar = ("6.3", "6.4", "6.6", "9.6")

    def next_limit(self) -> tuple[float | None, str]:
        return None, "between_bytes_timeout"


class NoTotalLimit(Handler):
    """As long as something comes, all is well."""

    caught_by: ClassVar = ("6.8",)

    def deadline(self) -> float:
        return float("inf")


class TimeoutAroundAll(Handler):
    """One timeout, around everything, as for a plain request."""

    caught_by: ClassVar = ("6.9",)

    def deadline(self) -> float:
        return asyncio.get_running_loop().time() + self.settings.between_bytes_timeout


class NoHeartbeats(Handler):
    """Is silent when the model is."""

    caught_by: ClassVar = ("6.10", "6.11", "7.14")

    async def beating(self, events: AsyncGenerator[Out]) -> AsyncGenerator[Out | None]:
        async for event in events:
            yield event


class AnswersLate(Handler):
    """Looks at the first event before it decides on status and headers."""

    caught_by: ClassVar = ("6.11",)

    async def chat(self, request: Request) -> Response:
        response = await super().chat(request)
        pieces = response.body_iterator  # type: ignore[attr-defined]  # it is a streaming response
        early = []
        async for piece in pieces:
            if piece != b": ping\n\n":  # to nobody yet
                early.append(piece)
            if b"content_block_start" in piece or b"error" in piece:
                break

        async def all_of_it() -> AsyncIterator[bytes]:
            for piece in early:
                yield piece
            async for piece in pieces:
                yield piece

        response.body_iterator = all_of_it()  # type: ignore[attr-defined]
        return response


# --------------------------------------------------------------------------------------------- cancelling


class IgnoresLeaving(Handler):
    """Works in a task of its own, which nobody cancels."""

    caught_by: ClassVar = ("8.2", "8.4")

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self.tasks: set[asyncio.Task[None]] = set()

    async def reply(self, messages: Messages) -> AsyncGenerator[Out]:
        queue: asyncio.Queue[Out | None] = asyncio.Queue()

        async def work() -> None:
            async for event in super(IgnoresLeaving, self).reply(messages):
                queue.put_nowait(event)
            queue.put_nowait(None)

        self.tasks.add(task := asyncio.create_task(work()))
        task.add_done_callback(self.tasks.discard)
        while (event := await queue.get()) is not None:
            yield event


# ---------------------------------------------------------------------------------------------- resources


class LeaksCalls(Handler):
    """Forgets a call when it is done with it; the thread waits on in its socket."""

    caught_by: ClassVar = ("6.2", "6.5", "8.1", "8.3", "9.6")

    def release(self, call: Call) -> None:
        pass


class _OwnReader(Call):
    readers: ClassVar[list[Iterator[bytes]]] = []

    def read(self, stream: Any) -> Iterator[Event]:
        self.readers.append(chunks := stream._raw_stream.stream())
        buffer = EventStreamBuffer()
        for chunk in chunks:
            buffer.add_data(chunk)
            for message in buffer:
                yield stream._parse_event(message)

    def let_go(self, stream: Any) -> None:
        pass


class KeepsReaders(Handler):
    """Decodes frames by itself, and keeps its readers, with what they read from."""

    caught_by: ClassVar = ("9.2",)

    def call(self, messages: Messages) -> Call:
        return _OwnReader(self.bedrock, self.request(messages))


class LosesSlots(Handler):
    """A semaphore around the calls, released where they end well."""

    caught_by: ClassVar = ("9.1",)

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self.slots = asyncio.Semaphore(10)

    async def stream(self, messages: Messages, deadline: float) -> AsyncGenerator[Event]:
        try:
            await asyncio.wait_for(self.slots.acquire(), self.settings.first_byte_timeout)
        except TimeoutError:
            raise Broken("first_byte_timeout", True) from None
        async for event in super().stream(messages, deadline):
            if "messageStop" in event:
                self.slots.release()
            yield event


class SharesQueue(Handler):
    """One queue between the threads and the event loop, for all requests."""

    caught_by: ClassVar = ("9.3",)

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self.queue: asyncio.Queue[Any] = asyncio.Queue()

    async def within(self, limit: float | None, code: str, deadline: float, call: Call) -> Event | None:
        call.queue = self.queue
        return await super().within(limit, code, deadline, call)


class FewThreads(Handler):
    """run_in_executor with the default executor, which is as small as the machine."""

    caught_by: ClassVar = ("9.5",)

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self.executor = ThreadPoolExecutor(4)

    def call(self, messages: Messages) -> Call:
        return Call(self.bedrock, self.request(messages), self.executor.submit)


class BlocksLoop(Handler):
    """boto3's iterator in an async generator: between two events nothing else happens in the process."""

    caught_by: ClassVar = ("9.4",)
    alone: ClassVar = True

    async def stream(self, messages: Messages, deadline: float) -> AsyncGenerator[Event]:
        for event in self.bedrock.converse_stream(**self.request(messages))["stream"]:
            yield event


MUTANTS: tuple[type[Handler], ...] = (
    NoFirstByteLimit,
    NoLimitBetweenBytes,
    NoTotalLimit,
    TimeoutAroundAll,
    NoHeartbeats,
    AnswersLate,
    IgnoresLeaving,
    LeaksCalls,
    KeepsReaders,
    LosesSlots,
    SharesQueue,
    FewThreads,
    BlocksLoop,
)
