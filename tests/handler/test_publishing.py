"""Publishing an answer, in virtual time: numbers, batches, rates, retries, cancel, and how it ends."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any

import anyio
import pytest
from converse_handler.conversation import Answer
from converse_handler.events import BlockStarted, Event, Finished, Started, Text, ToolStarted
from converse_handler.metrics import Metrics, Record
from converse_handler.publishing import LAST_WORDS, MOST_EVENTS, NotPublished, Publication
from converse_handler.retry import Retries
from converse_handler.settings import Settings
from converse_handler.tools import Tools

Virtually = Callable[[Awaitable[Any]], Any]
DONE = Finished("end_turn", truncated=False, usage=None)


class Service:
    """Takes publishes, each in `seconds`; `refuse` has what it does to the first ones."""

    def __init__(self, seconds: float = 0.0, refuse: Sequence[NotPublished | list[int]] = ()) -> None:
        self.seconds, self.refuse = seconds, list(refuse)
        self.batches: list[list[dict[str, Any]]] = []
        self.moments: list[float] = []
        self.under_way = 0

    async def post(self, events: Sequence[str]) -> Sequence[int]:
        assert self.under_way == 0, "two publishes at a time"
        self.under_way += 1
        self.moments.append(anyio.current_time())
        try:
            await anyio.sleep(self.seconds)
        finally:
            self.under_way -= 1
        parsed = [json.loads(event) for event in events]
        left: list[int] = []
        if self.refuse:
            match self.refuse.pop(0):
                case NotPublished() as error:
                    raise error
                case places:
                    left = places
        self.batches.append([event for place, event in enumerate(parsed) if place not in left])
        return left

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for batch in self.batches for event in batch]


async def told(*events: Event | float) -> AsyncGenerator[Event]:
    for event in events:
        if isinstance(event, float):
            await anyio.sleep(event)
        else:
            yield event


def publication(service: Service, **options: Any) -> Publication:
    answer = Answer([], None, Tools([]), Settings())  # type: ignore[arg-type]
    return Publication(service.post, Record(answer, Metrics()), **options)


def numbers(service: Service) -> list[int]:
    return [event["seq"] for event in service.events]


def text(service: Service) -> str:
    return "".join(event.get("delta", {}).get("text", "") for event in service.events)


def test_numbers_without_gaps_and_a_terminal_event(virtually: Virtually) -> None:
    async def run(service: Service) -> None:
        await publication(service).run(told(Started("m"), 0.1, Text(0, "a"), 0.1, Text(0, "b"), DONE))

    virtually(run(service := Service()))
    assert numbers(service) == [1, 2, 3, 4]
    assert [event["type"] for event in service.events] == [
        "message_start",
        *["content_block_delta"] * 2,
        "message_stop",
    ]
    assert service.batches[0] == [{"seq": 1, "type": "message_start", "id": "m"}]


def test_what_piles_up_goes_together(virtually: Virtually) -> None:
    pairs = [event for place in range(9) for event in (Text(place, "x"), ToolStarted("t", "n", "l"))]

    async def run(service: Service) -> None:
        await publication(service).run(told(Started("m"), 0.01, *pairs, DONE))

    virtually(run(service := Service(seconds=1.0)))
    assert [len(batch) for batch in service.batches] == [1, MOST_EVENTS, MOST_EVENTS, MOST_EVENTS, 4]
    assert numbers(service) == list(range(1, 21))


def test_text_that_piles_up_is_joined(virtually: Virtually) -> None:
    words = [each for number in range(500) for each in (Text(0, f"{number} "), 0.0125)]

    async def run(service: Service) -> None:
        await publication(service, per_second=20).run(told(*words, DONE))

    virtually(run(service := Service(seconds=0.02)))
    assert text(service) == "".join(f"{number} " for number in range(500))
    assert service.moments[-1] - 500 * 0.0125 < 0.2  # it keeps up with 80 tokens a second
    gaps = [after - before for before, after in zip(service.moments, service.moments[1:], strict=False)]
    assert min(gaps) > 0.0499


def test_a_failed_publish_is_tried_again_before_anything_newer(virtually: Virtually) -> None:
    throttled = NotPublished("429", again=True, retry_after=2.0)

    async def run(service: Service) -> None:
        await publication(service).run(told(Started("m"), 0.1, Text(0, "a"), 0.1, Text(1, "b"), DONE))

    virtually(run(service := Service(refuse=[throttled, throttled])))
    assert numbers(service) == [1, 2, 3, 4]
    assert service.moments[1] - service.moments[0] >= 2.0


def test_events_that_were_not_taken_are_tried_again_alone(virtually: Virtually) -> None:
    async def run(service: Service) -> None:
        await publication(service).run(
            told(Started("m"), 0.01, BlockStarted(0, "text"), Text(0, "a"), Text(1, "b"), 9.0, DONE)
        )

    virtually(run(service := Service(seconds=0.1, refuse=[[], [0, 2]])))
    assert [[event["seq"] for event in batch] for batch in service.batches] == [[1], [3], [2, 4], [5]]


@pytest.mark.parametrize(
    ("error", "tries"),
    [(NotPublished("401", again=False), 1), (NotPublished("503", again=True), 3)],
)
def test_what_cannot_be_published_ends_the_answer(
    virtually: Virtually, error: NotPublished, tries: int
) -> None:
    closed = []

    async def forever() -> AsyncGenerator[Event]:
        try:
            yield Started("m")
            await anyio.sleep(3600)
        finally:
            closed.append(anyio.current_time())

    async def run(service: Service) -> None:
        await publication(service, retries=Retries(3, 0.1)).run(forever())

    virtually(run(service := Service(refuse=[error] * 9)))
    assert len(service.moments) == tries
    assert closed
    assert closed[0] < 10


def test_cancel_lets_go_of_the_model_and_says_so(virtually: Virtually) -> None:
    async def run(service: Service) -> None:
        publishing = publication(service)
        async with anyio.create_task_group() as tasks:
            events = told(Started("m"), BlockStarted(0, "text"), Text(0, "a"), 3600.0, DONE)
            tasks.start_soon(publishing.run, events)
            await anyio.sleep(1)
            publishing.cancel()
        assert anyio.current_time() < 2

    virtually(run(service := Service()))
    assert [event["type"] for event in service.events][-2:] == ["content_block_stop", "error"]
    assert (service.events[-1]["code"], service.events[-1]["partial"]) == ("stream_interrupted", True)
    assert numbers(service) == [1, 2, 3, 4, 5]


def test_cancel_before_anything_was_said_and_after_the_end(virtually: Virtually) -> None:
    async def run(service: Service) -> None:
        early = publication(service)
        early.cancel()
        await early.run(told(3600.0, DONE))
        late = publication(service)
        await late.run(told(Started("m"), DONE))
        late.cancel()

    virtually(run(service := Service()))
    assert [event["type"] for event in service.events] == ["error", "message_start", "message_stop"]
    assert [event.get("code") for event in service.events] == ["stream_interrupted", None, None]


def test_a_server_that_shuts_down_has_last_words(virtually: Virtually) -> None:
    async def run(service: Service) -> None:
        with anyio.move_on_after(1):
            await publication(service).run(told(Started("m"), Text(0, "a"), 3600.0, DONE))
        assert anyio.current_time() < 1 + LAST_WORDS

    virtually(run(service := Service()))
    assert service.events[-1]["type"] == "error"
    assert service.events[-1]["code"] == "stream_interrupted"
    assert numbers(service) == [1, 2, 3]
