"""What the handler's tests share: virtual time, a model that follows a script, Bedrock's events by name."""

import asyncio
import selectors
import shutil
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import ExitStack, aclosing, contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import pytest
import uvicorn
from converse_handler.app import create_app
from converse_handler.bridge import connect
from converse_handler.conversation import Answer
from converse_handler.demo_tools import DEMO_TOOLS
from converse_handler.events import Event
from converse_handler.settings import Settings
from converse_handler.tools import Outcome, Run, Tools
from converse_handler.turn import ToolCall

if TYPE_CHECKING:
    from converse_emulator import Session

T = TypeVar("T")
BedrockEvent = dict[str, Any]
Item = BedrockEvent | float | Exception  # an event, seconds of silence, or what botocore raises

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]


class _Jumping(selectors.DefaultSelector):
    """A selector that does not wait: it moves the loop's clock to where the waiting would end."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("everything waits, and nothing will ever come")
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time stands still while anything can run and jumps to the next timer when nothing can."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


@pytest.fixture
def virtually() -> Callable[[Coroutine[Any, Any, T]], T]:
    """Run a coroutine in virtual time, which begins at 0."""

    def run(main: Coroutine[Any, Any, T]) -> T:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(main)

    return run


class ScriptedCall:
    """A call of Bedrock that says what is written."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = list(items)
        self.closed_at: float | None = None

    async def next(self) -> BedrockEvent | None:
        while self._items:
            match self._items.pop(0):
                case Exception() as error:
                    raise error
                case dict() as event:
                    return event
                case seconds:
                    await asyncio.sleep(seconds)
        return None

    def close(self) -> None:
        self.closed_at = asyncio.get_running_loop().time()


class ScriptedModel:
    """One script for each call; the last one repeats."""

    def __init__(self, *scripts: Iterable[Item]) -> None:
        self._scripts = [list(script) for script in scripts]
        self.requests: list[Mapping[str, Any]] = []
        self.calls: list[ScriptedCall] = []

    def start(self, request: Mapping[str, Any]) -> ScriptedCall:
        self.requests.append(deepcopy(request))
        script = self._scripts[min(len(self.calls), len(self._scripts) - 1)]
        self.calls.append(ScriptedCall(script))
        return self.calls[-1]


class _TimedRun(Run):
    """Tool calls without threads: each takes its time on the loop's clock."""

    def __init__(self, tools: Tools, calls: Iterable[ToolCall], seconds: Mapping[str, float]) -> None:
        super().__init__(tools, ())
        self.closed_at: float | None = None
        self._left = sorted(calls, key=lambda call: seconds.get(call.name, 0.0))
        self._tools, self._seconds, self._began = tools, seconds, self._loop.time()

    async def next(self) -> tuple[ToolCall, Outcome]:
        call = self._left[0]
        await asyncio.sleep(self._began + self._seconds.get(call.name, 0.0) - self._loop.time())
        self._left.remove(call)
        return call, self._tools.perform(call, self._cancelled)

    def close(self) -> None:
        self.closed_at = self._loop.time()


class TimedTools(Tools):
    """The demo tools in virtual time; `seconds` says how long each takes."""

    def __init__(self, **seconds: float) -> None:
        self._tools = DEMO_TOOLS._tools
        self._seconds = seconds
        self.runs: list[_TimedRun] = []

    def run(self, calls: Iterable[ToolCall]) -> Run:
        self.runs.append(_TimedRun(self, calls, self._seconds))
        return self.runs[-1]


class Told:
    """What an answer told, each event with its moment."""

    def __init__(self, answer: Answer, model: ScriptedModel) -> None:
        self.answer, self.model = answer, model
        self.moments: list[tuple[float, Event]] = []

    @property
    def events(self) -> list[Event]:
        return [event for _, event in self.moments]

    @property
    def ended_at(self) -> float:
        return self.moments[-1][0]

    async def listen(self) -> "Told":
        loop = asyncio.get_running_loop()
        async with aclosing(self.answer.events()) as events:
            async for event in events:
                self.moments.append((loop.time(), event))
        return self


@pytest.fixture
def scripted() -> type[ScriptedModel]:
    """A model that follows a script."""
    return ScriptedModel


@pytest.fixture
def timed_tools() -> type[TimedTools]:
    """The demo tools in virtual time."""
    return TimedTools


@pytest.fixture
def ask(virtually: Callable[[Awaitable[Told]], Told]) -> Callable[..., Told]:
    """Ask a scripted model in virtual time: `ask(script, …, tools=…, chance=…, **settings)`."""

    def run(
        *scripts: Iterable[Item], tools: Tools | None = None, chance: float = 0.5, **settings: Any
    ) -> Told:
        model = ScriptedModel(*scripts)
        answer = Answer(
            [{"role": "user", "content": [{"text": "hi"}]}],
            model,
            tools or TimedTools(),
            Settings(**settings),
            chance=lambda: chance,
        )
        return virtually(Told(answer, model).listen())

    return run


class Says:
    """Bedrock's events as botocore gives them."""

    start: ClassVar[BedrockEvent] = {"messageStart": {"role": "assistant"}}

    @staticmethod
    def text(text: str, index: int = 0) -> BedrockEvent:
        return {"contentBlockDelta": {"delta": {"text": text}, "contentBlockIndex": index}}

    @staticmethod
    def reasoning(index: int = 0, **delta: str | bytes) -> BedrockEvent:
        return {"contentBlockDelta": {"delta": {"reasoningContent": delta}, "contentBlockIndex": index}}

    @staticmethod
    def block_stop(index: int = 0) -> BedrockEvent:
        return {"contentBlockStop": {"contentBlockIndex": index}}

    @staticmethod
    def tool(name: str, *pieces: str, index: int = 0, id: str | None = None) -> list[BedrockEvent]:
        """A whole tool call: start, the pieces of its input, stop."""
        start = {"toolUse": {"toolUseId": id or f"tooluse_{name}_{index}", "name": name}}
        deltas = [
            {"contentBlockDelta": {"delta": {"toolUse": {"input": piece}}, "contentBlockIndex": index}}
            for piece in pieces
        ]
        return [
            {"contentBlockStart": {"start": start, "contentBlockIndex": index}},
            *deltas,
            Says.block_stop(index),
        ]

    @staticmethod
    def stop(reason: str = "end_turn") -> BedrockEvent:
        return {"messageStop": {"stopReason": reason}}

    @staticmethod
    def usage(input_tokens: int = 7, output_tokens: int = 3) -> BedrockEvent:
        usage = {
            "inputTokens": input_tokens,
            "outputTokens": output_tokens,
            "totalTokens": input_tokens + output_tokens,
        }
        return {"metadata": {"usage": usage, "metrics": {"latencyMs": 1}}}

    @staticmethod
    def answer(*texts: str, reason: str = "end_turn") -> list[BedrockEvent]:
        """A whole message of one text block."""
        deltas = [Says.text(text) for text in texts]
        return [Says.start, *deltas, Says.block_stop(), Says.stop(reason), Says.usage()]

    @staticmethod
    def calls(*calls: list[BedrockEvent], reason: str = "tool_use") -> list[BedrockEvent]:
        """A whole message of tool calls."""
        blocks = [event for call in calls for event in call]
        return [Says.start, *blocks, Says.stop(reason), Says.usage()]


@pytest.fixture
def says() -> type[Says]:
    """Bedrock's events by name."""
    return Says


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The handler on a free port, in a thread; its URL. Its Bedrock is the one in the environment."""
    client = connect(settings)
    app = create_app(settings, client)
    config = uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.005)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)
            client.close()


@pytest.fixture
def serve(bedrock: "Session") -> Iterator[Callable[..., str]]:  # noqa: ARG001 (it is the environment's Bedrock)
    """Serve a handler with these settings and the test's own Bedrock: `url = serve(heartbeat=0.1)`.

    A machine that is busy may take its time to the first byte, unless a test says otherwise.
    """
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(
            served(Settings(**{"first_byte_timeout": 30, **settings}))
        )


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page in it that must not make mistakes."""
    with careful_page(browser) as page:
        yield page


@contextmanager
def careful_page(browser: Any, **options: Any) -> Iterator[Any]:
    """A page that fails the test at its end if it made a mistake."""
    page = browser.new_page(**options)
    page.set_default_timeout(20_000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    yield page
    page.close()
    # A request that fails on purpose is in the console too; everything else is a mistake of the page.
    assert [
        each for each in problems if not each.startswith(("Failed to load resource", "WebSocket connection"))
    ] == []
