"""One invocation: what the runtime posts on one side, and what is read by who invoked on the other.

waiting ──/next──▶ running ──/response──▶ responding ──▶ done
                      └──────/error, a timeout, an exit────▲
"""

import asyncio
import json
import re
import secrets
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Literal

from converse_hops.passage import Passage

State = Literal["waiting", "running", "responding", "done"]
MOST_LOG = 4096  # bytes, as the service gives back
MOST_PIECES = 4  # posted by the runtime and not read yet; then it is held back


@dataclass(frozen=True, slots=True)
class Started:
    """The response begins. `streaming`: in streaming mode, else its one piece is the whole body."""

    content_type: str
    streaming: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a function failed: an error type such as `Runtime.ExitError`, and the body that tells it."""

    error_type: str
    body: bytes
    by_service: bool = False

    @property
    def code(self) -> str:
        """The error type as it is passed on: what a function calls itself is filtered."""
        return self.error_type if self.by_service else known_error_type(self.error_type)

    @classmethod
    def of(cls, error_type: str, message: str) -> "Failure":
        """A failure that the service found, not the function."""
        body = json.dumps({"errorType": error_type, "errorMessage": message}, separators=(",", ":"))
        return cls(error_type, body.encode(), by_service=True)


@dataclass(frozen=True, slots=True)
class Ended:
    """The response is over."""

    failure: Failure | None = None


Piece = Started | bytes | Ended


@dataclass(eq=False, slots=True)
class Invocation:
    """`passage` is where it is told what came when."""

    event: bytes
    arn: str
    passage: Passage
    trace_id: str
    client_context: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: State = "waiting"
    began: float = 0.0  # of `time.monotonic()`: handed to a runtime
    log: bytearray = field(default_factory=bytearray)  # the end of what the function printed meanwhile
    over: asyncio.Event = field(default_factory=asyncio.Event)  # its end was said
    _pieces: "asyncio.Queue[Piece]" = field(default_factory=lambda: asyncio.Queue(MOST_PIECES))

    def run(self) -> None:
        """A runtime has it."""
        self.state = "running"
        self.began = time.monotonic()
        self.passage.note("up", "passed", len(self.event))

    async def start(self, content_type: str, *, streaming: bool) -> None:
        """The runtime's response begins."""
        self.state = "responding"
        await self._pieces.put(Started(content_type, streaming))

    async def post(self, data: bytes) -> None:
        """A piece of the response. Waits while who invoked has not read what was before."""
        if self.state == "responding":
            self.passage.note("down", "received", len(data))
            await self._pieces.put(data)

    async def end(self, failure: Failure | None = None) -> None:
        """It is over; only the first word counts."""
        if self.state == "done":
            return
        self.state = "done"
        self.over.set()
        if failure:
            self.passage.note("down", "failed", detail=failure.error_type)
        await self._pieces.put(Ended(failure))

    async def fail(self, failure: Failure) -> None:
        """The function failed. Before its response began, the failure's body is all there is of one."""
        if self.state in ("waiting", "running"):
            await self.start("application/json", streaming=False)
            await self.post(failure.body)
        await self.end(failure)

    def print(self, output: bytes) -> None:
        """The function printed that."""
        self.log += output
        del self.log[:-MOST_LOG]

    async def pieces(self) -> AsyncIterator[Piece]:
        """All that comes, `Ended` last."""
        while True:
            piece = await self._pieces.get()
            yield piece
            if isinstance(piece, Ended):
                return


def new_trace_id() -> str:
    """As the service makes them."""
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled=0;Lineage=1:{secrets.token_hex(4)}:0"


def known_error_type(told: str | None) -> str:
    """A runtime's error type as the service passes it on (the filter of Lambda's runtime emulator)."""
    if told and re.fullmatch(r"(Runtime|Function)\.[A-Z][a-zA-Z]+", told):
        return told
    return "Function.Unknown" if told and told.startswith("Function.") else "Runtime.Unknown"
