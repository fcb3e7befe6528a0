"""Which answers can be read, and how long, in virtual time."""

import asyncio
import gc
import re
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from functools import partial
from typing import Any

import pytest
from converse_handler.answers import Answers, Seen, Unknown
from converse_handler.backlog import AHEAD
from converse_handler.conversation import Answer
from converse_handler.demo_tools import DEMO_TOOLS
from converse_handler.metrics import Metrics, Record
from converse_handler.settings import Settings
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.handler.conftest import Item, Says, ScriptedModel, VirtualLoop

Virtually = Callable[[Coroutine[Any, Any, Any]], Any]
TEXT = [f"{word} " for word in ["one", "two", "three", "four", "five", "six", "seven", "eight"]]
SLOW = [Says.start, *(item for word in TEXT for item in (1.0, Says.text(word))), *Says.answer()[1:]]
EVENTS = 1 + 1 + len(TEXT) + 1 + 1  # message_start, a block's start, text and stop, message_stop


class Server:
    """Answers, and what became of them."""

    def __init__(self, *script: Any, **limits: Any) -> None:
        self.settings = Settings(first_byte_timeout=100.0, **limits)
        self.answers = Answers(self.settings)
        self.metrics = Metrics()
        self.model = ScriptedModel(script or SLOW)

    def ask(self) -> tuple[str, AsyncGenerator[bytes]]:
        answer = Answer([{"role": "user", "content": []}], self.model, DEMO_TOOLS, self.settings)
        return answer.id, self.answers.begin(answer, lambda: Record(answer, self.metrics))

    def ended(self, reason: str) -> float | None:
        return self.metrics.registry.get_sample_value("chat_ends_total", {"reason": reason})


def number(block: bytes) -> int:
    (found,) = re.findall(rb"^id: msg_\w{32}-(\d+)$", block, re.MULTILINE)
    return int(found)


async def take(blocks: AsyncGenerator[bytes], count: int = EVENTS) -> list[int]:
    """Read so many blocks and leave; their numbers."""
    numbers: list[int] = []
    async with aclosing(blocks):
        while len(numbers) < count:
            try:
                numbers.append(number(await anext(blocks)))
            except StopAsyncIteration:
                break
    return numbers


def test_a_browser_that_leaves_ends_the_answer_and_gets_an_end_when_it_comes_back(
    virtually: Virtually,
) -> None:
    async def main() -> None:
        server = Server()
        answer, blocks = server.ask()
        assert await take(blocks, 4) == [1, 2, 3, 4]
        await asyncio.sleep(0.001)
        assert server.model.calls[0].closed_at == 2.0
        assert server.ended("client_left") == 1
        rest = [block async for block in await server.answers.resume(answer, 4)]
        assert b'"content_block_stop"' in rest[0]
        assert b'"code":"stream_interrupted"' in rest[1]
        assert [number(block) for block in rest] == [5, 6]

    virtually(main())


def test_with_grace_it_goes_on_and_the_rest_can_be_had(virtually: Virtually) -> None:
    async def main() -> None:
        server = Server(resume_grace=5.0)
        answer, blocks = server.ask()
        assert await take(blocks, 4) == [1, 2, 3, 4]
        await asyncio.sleep(4.5)
        assert await take(await server.answers.resume(answer, 4)) == list(range(5, EVENTS + 1))
        assert server.ended("end_turn") == 1
        assert len(server.model.calls) == 1

    virtually(main())


def test_grace_runs_out(virtually: Virtually) -> None:
    async def main() -> None:
        server = Server(Says.start, Says.text("Hi"), 1e6, resume_grace=5.0)
        answer, blocks = server.ask()
        await take(blocks, 3)
        await asyncio.sleep(4)
        reading = asyncio.create_task(take(await server.answers.resume(answer, 3), 99))
        await asyncio.sleep(4)
        reading.cancel()  # it came back, and left again: grace begins anew
        await asyncio.sleep(4.9)
        assert server.model.calls[0].closed_at is None
        await asyncio.sleep(0.2)
        assert server.model.calls[0].closed_at == pytest.approx(13.0)
        assert server.ended("client_left") == 1

    virtually(main())


def test_two_readers_of_one_answer_and_either_may_leave(virtually: Virtually) -> None:
    async def main() -> None:
        server = Server()
        answer, blocks = server.ask()
        first = asyncio.create_task(take(blocks, 5))
        await asyncio.sleep(1.5)
        second = asyncio.create_task(take(await server.answers.resume(answer, 0)))
        assert await first == [1, 2, 3, 4, 5]
        assert await second == list(range(1, EVENTS + 1))

    virtually(main())


def test_an_answer_that_is_over_stays_for_its_window(virtually: Virtually) -> None:
    async def main() -> None:
        server = Server(resume_window=60.0)
        answer, blocks = server.ask()
        await take(blocks, EVENTS + 1)
        await asyncio.sleep(59)
        assert await take(await server.answers.resume(answer, EVENTS - 2)) == [EVENTS - 1, EVENTS]
        with pytest.raises(Seen):
            await server.answers.resume(answer, EVENTS)
        await asyncio.sleep(2)
        with pytest.raises(Unknown):
            await server.answers.resume(answer, EVENTS)

    virtually(main())


def test_nobody_knows_what_was_never_asked(virtually: Virtually) -> None:
    async def main() -> None:
        server = Server()
        with pytest.raises(Unknown):
            await server.answers.resume("msg_0", 0)
        await server.answers.stop("msg_0")

    virtually(main())


def test_stopping_does_not_wait_for_grace(virtually: Virtually) -> None:
    async def main() -> None:
        server = Server(resume_grace=600.0)
        answer, blocks = server.ask()
        await take(blocks, 4)
        await server.answers.stop(answer)
        await asyncio.sleep(0.001)
        assert server.model.calls[0].closed_at == 2.0
        await server.answers.stop(answer)

    virtually(main())


def test_an_answer_that_was_never_read_was_never_begun(virtually: Virtually) -> None:
    async def main() -> None:
        server = Server()
        _, blocks = server.ask()
        await blocks.aclose()
        assert server.model.calls == []
        assert server.metrics.registry.get_sample_value("chat_open_streams") == 0

    virtually(main())


def test_a_reader_that_leaves_as_it_comes_leaves_nothing_behind(virtually: Virtually) -> None:
    async def main() -> None:
        server = Server()
        _, blocks = server.ask()
        reading = asyncio.create_task(take(blocks))
        await asyncio.sleep(0)
        reading.cancel()  # before the answer's own task has had its first turn
        await asyncio.sleep(0.1)
        assert server.metrics.registry.get_sample_value("chat_open_streams") == 0
        assert server.ended("client_left") == 1

    virtually(main())


def test_memory_is_bounded_in_answers_and_in_events(virtually: Virtually) -> None:
    async def main() -> None:
        server = Server(*Says.answer(*TEXT * AHEAD), resume_answers=2, resume_events=AHEAD)
        ids = []
        for _ in range(3):
            answer, blocks = server.ask()
            await take(blocks, 100_000)
            ids.append(answer)
        assert len(server.answers._kept) == 2
        with pytest.raises(Unknown):
            await server.answers.resume(ids[0], 0)
        last = 4 + len(TEXT) * AHEAD
        for answer in ids[1:]:
            with pytest.raises(Unknown):  # its beginning is not kept
                await server.answers.resume(answer, 0)
            kept = await take(await server.answers.resume(answer, last - AHEAD), 100_000)
            assert kept == list(range(last - AHEAD + 1, last + 1))

    virtually(main())


def test_what_was_asked_is_not_kept_with_the_answer(virtually: Virtually) -> None:
    async def main() -> None:
        server = Server()
        answer = Answer([], server.model, DEMO_TOOLS, server.settings)
        asked = weakref.ref(answer)
        blocks = server.answers.begin(answer, partial(Record, answer, server.metrics))
        id = answer.id
        del answer
        await take(blocks, EVENTS + 1)
        del blocks
        gc.collect()
        assert asked() is None
        assert await take(await server.answers.resume(id, EVENTS - 1)) == [EVENTS]

    virtually(main())


def test_where_there_is_no_room_those_go_first_that_are_over(virtually: Virtually) -> None:
    async def main() -> None:
        server = Server(resume_answers=2, resume_grace=600.0)
        endless: list[Item] = [Says.start, Says.text("Hi"), 1e6]
        server.model = ScriptedModel(endless, SLOW, endless)
        (over, whole), (live, left) = server.ask(), server.ask()
        await take(left, 2)
        await take(whole, 100)
        _, more = server.ask()
        await take(more, 1)
        with pytest.raises(Unknown):
            await server.answers.resume(over, 0)
        assert await take(await server.answers.resume(live, 0), 1) == [1]
        _, yet_more = server.ask()
        await take(yet_more, 1)
        with pytest.raises(Unknown):
            await server.answers.resume(live, 0)

    virtually(main())


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, EVENTS), st.integers(0, 3)), max_size=8))
def test_however_often_it_is_cut_every_event_arrives_once_from_one_call(cuts: list[tuple[int, int]]) -> None:
    async def main() -> tuple[list[int], int]:
        server = Server(resume_grace=30.0)
        answer, blocks = server.ask()
        got: list[int] = []
        for more, away in cuts:
            got += await take(blocks, more)
            await asyncio.sleep(away)
            try:
                blocks = await server.answers.resume(answer, got[-1] if got else 0)
            except Unknown:
                assert got == []  # it was never begun
                answer, blocks = server.ask()
            except Seen:
                return got, len(server.model.calls)
        got += await take(blocks, EVENTS + 1)
        return got, len(server.model.calls)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(main()) == (list(range(1, EVENTS + 1)), 1)
