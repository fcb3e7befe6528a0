"""How an answer ends that nobody goes on with: its readers left, or the process that made it is gone."""

from collections.abc import Iterable

from converse_handler import sse
from converse_handler.events import BlockStopped, Event, Started
from converse_handler.failures import Broken, failed


def cut_short(answer: str, blocks: Iterable[bytes]) -> list[Event]:
    """The events that end an answer properly of which these blocks were told so far; none if it has ended."""
    told = [sse.decode(block) for block in blocks]
    if told and told[-1]["type"] in sse.TERMINAL:
        return []
    spoken = any("text" in event.get("delta", ()) for event in told)
    of_blocks = [event for event in told if event["type"].startswith("content_block_")]
    is_open = bool(of_blocks) and of_blocks[-1]["type"] != "content_block_stop"
    return [
        *([] if told else [Started(answer)]),
        *([BlockStopped(of_blocks[-1]["index"])] if is_open else []),
        failed(Broken("stream_interrupted"), partial=spoken),
    ]
