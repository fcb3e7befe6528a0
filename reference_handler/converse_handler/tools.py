"""The tools the model may call, and how they are run: in threads, within a time limit, never fatally.

Whatever goes wrong in a tool is told to the model, which can go on without it; the exception itself goes to
the log. A thread cannot be killed. A tool that takes long should look at `cancelled` now and then (better:
wait on it) and return when it is set; one that does not runs on in a daemon thread, which wastes a thread but
holds up neither the answer nor the process's end.
"""

import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from converse_handler.turn import Json, ToolCall

MAX_RESULT = 20_000  # characters of a result; a longer one is cut, because the model pays for each of them

log = logging.getLogger("converse_handler.tools")


class ToolError(Exception):
    """A tool's own refusal. Its text is for the model, and through it for the user."""


@dataclass(frozen=True, slots=True)
class Tool:
    """`schema` is the input's JSON schema; `run(input, cancelled)` gives any JSON value or raises."""

    name: str
    label: str  # what the user reads while it runs
    description: str  # what the model reads
    schema: Mapping[str, Json]
    run: Callable[[Mapping[str, Json], threading.Event], Json]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call went: `error` is None, or a code for the browser; `content` is for the model."""

    error: str | None
    content: Mapping[str, Json]

    def block(self, id: str) -> dict[str, Any]:
        """The toolResult block that answers the call `id`."""
        status = "success" if self.error is None else "error"
        return {"toolResult": {"toolUseId": id, "content": [self.content], "status": status}}


UNKNOWN = Outcome("unknown_tool", {"text": "There is no such tool."})
INVALID = Outcome("invalid_input", {"text": "The tool was not called: its input was not a JSON object."})
FAILED = Outcome("failed", {"text": "The tool failed."})
TIMEOUT = Outcome("timeout", {"text": "The tool took too long and was given up."})


class Run:
    """The calls of one turn, side by side. `next` gives outcomes as they come; the caller must `close`."""

    def __init__(self, tools: "Tools", calls: Iterable[ToolCall]) -> None:
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Queue[tuple[ToolCall, Outcome]] = asyncio.Queue()
        self._cancelled = threading.Event()
        for call in calls:
            threading.Thread(
                target=self._work, args=(tools, call), name=f"tool {call.name}", daemon=True
            ).start()

    async def next(self) -> tuple[ToolCall, Outcome]:
        """The next call that is over. Safe to cancel."""
        return await self._done.get()

    def close(self) -> None:
        """Nobody waits for the rest any more."""
        self._cancelled.set()

    def _work(self, tools: "Tools", call: ToolCall) -> None:
        outcome = tools.perform(call, self._cancelled)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._done.put_nowait, (call, outcome))


class Tools:
    """What can be called, by name."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._tools = {tool.name: tool for tool in tools}

    def label(self, name: str) -> str:
        """What to show while this tool runs."""
        tool = self._tools.get(name)
        return tool.label if tool else "Looking that up…"

    def config(self) -> dict[str, Any]:
        """The request's `toolConfig`."""
        specs = [
            {
                "toolSpec": {
                    "name": tool.name,
                    "description": tool.description,
                    "inputSchema": {"json": tool.schema},
                }
            }
            for tool in self._tools.values()
        ]
        return {"tools": specs}

    def run(self, calls: Iterable[ToolCall]) -> Run:
        """Start them."""
        return Run(self, calls)

    def perform(self, call: ToolCall, cancelled: threading.Event) -> Outcome:
        """Run one call here and now. Never raises."""
        tool = self._tools.get(call.name)
        if tool is None:
            return UNKNOWN
        if call.input is None:
            return INVALID
        try:
            return _success(tool.run(call.input, cancelled))
        except ToolError as error:
            return Outcome("failed", {"text": str(error)[:MAX_RESULT]})
        except Exception:
            log.exception("tool %s failed", tool.name)
            return FAILED


def _success(result: Json) -> Outcome:
    text = json.dumps(result, ensure_ascii=False, allow_nan=False)
    if len(text) > MAX_RESULT:
        return Outcome(None, {"text": f"{text[:MAX_RESULT]}… (the rest of {len(text)} characters was cut)"})
    return Outcome(None, {"json": result if isinstance(result, dict) else {"result": result}})
