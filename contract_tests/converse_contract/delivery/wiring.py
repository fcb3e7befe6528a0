"""A path put together: the program under test and the hops in front of it, each with its journal."""

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from converse_hops import Function

from converse_contract.case import Limits
from converse_contract.delivery.appsync import AppSyncListener, channel_name
from converse_contract.delivery.backend import Api, event_api, websocket_api
from converse_contract.delivery.path import LONGEST, Path, Protocol, Tuning
from converse_contract.delivery.program import Program, running, without_real_aws
from converse_contract.delivery.stacks import STACKS, Placed, passages_of
from converse_contract.delivery.websocket import WebSocketListener
from converse_contract.dialect import Dialect
from converse_contract.dialects.reference import REQUEST, ReferenceDialect
from converse_contract.hop_state import HopState, Passing
from converse_contract.listen import Carrier, Target
from converse_contract.serving import environment

T = TypeVar("T")
REQUESTS: Mapping[Protocol, str] = {  # as the reference handler is asked
    "sse": REQUEST,
    "websocket": '{"action": "chat", "messages": [{"role": "user", "content": "{{prompt}}"}]}',
    "appsync": REQUEST,
}
COLD_START = 10.0  # seconds at most, on a busy machine
CARRIERS: Mapping[Protocol, Carrier | None] = {
    "sse": None,
    "websocket": WebSocketListener,
    "appsync": AppSyncListener,
}


@dataclass(frozen=True, slots=True)
class Way:
    """A path that is open: its far end, and the hops on it, the browser's end first."""

    path: Path
    target: Target
    placed: tuple[Placed, ...]

    def states(self, session: str) -> tuple[HopState, ...]:
        """What each hop did for this session so far."""
        since_the_epoch = time.time() - time.monotonic()
        names = (session, channel_name(session))
        return tuple(
            HopState(
                placed.name,
                tuple(
                    Passing(record.at + since_the_epoch, record.direction, record.what, record.size, detail)
                    for passage in passages
                    for record in passage.records
                    for detail in (record.detail,)
                ),
                placed.setting,
                placed.remedy,
            )
            for placed, passages in passages_of(self.placed, names)
        )


class Wiring:
    """The program under test with what may be in front of it. What starts slowly is started once."""

    def __init__(
        self, path: Path, program: Program, emulator: str, limits: Limits, dialect: Dialect, stack: ExitStack
    ) -> None:
        self.path, self.program, self.limits = path, program, limits
        self.dialect = dialect
        self._env = environment(emulator, limits)
        self._started: dict[Hashable, object] = {}
        self._starting = threading.Lock()
        self._stack = stack

    @contextmanager
    def open(self, tuning: Tuning = Tuning()) -> Iterator[Way]:  # noqa: B008 (frozen)
        """The path, tuned; its hops are there until the end. Raises `DidNotStart`, `OSError`."""
        with ExitStack() as stack:
            url, placed = STACKS[self.path.name](self, tuning, stack)
            carrier = CARRIERS[self.path.protocol]
            starting = COLD_START if self.path.runs_function else 0.0
            target = Target(url, self.dialect, self.limits, carrier=carrier, starting=starting)
            yield Way(self.path, target, placed)

    def function(self, tuning: Tuning) -> Function:
        """The Lambda function, running; its time is up when the path's total is."""
        timeout = LONGEST if tuning.total is None else tuning.total

        def start() -> Function:
            command = without_real_aws(self.program.function)
            return self._stack.enter_context(Function(command, env=self._env, timeout=timeout))

        return self._once(("function", timeout), start)

    def service(self) -> str:
        """The service's URL."""
        return self._once(
            "service", lambda: self._stack.enter_context(running(self.program.service, self._env))
        )

    def websocket(self, tuning: Tuning) -> Api:
        """A WebSocket API with the program behind it."""
        key = ("websocket", tuning.idle, tuning.total, tuning.silent_leaving, tuning.post_latency)
        return self._once(key, lambda: websocket_api(self.program, self._env, tuning, self._stack))

    def event_api(self, tuning: Tuning) -> Api:
        """An Event API to which the program publishes."""
        key = ("appsync", tuning.reorder, tuning.drop)
        return self._once(key, lambda: event_api(self.program, self._env, tuning, self._stack))

    def _once(self, key: Hashable, start: Callable[[], T]) -> T:
        with self._starting:
            if key not in self._started:
                self._started[key] = start()
            return self._started[key]  # type: ignore[return-value]


@contextmanager
def wire(
    path: Path, program: Program, emulator: str, limits: Limits, dialect: Dialect | None = None
) -> Iterator[Wiring]:
    """The path with this program, which uses the emulator at that URL as its Bedrock.

    Raises `ValueError` when the program is not of the kind that the path needs.
    """
    if path.runs_function and not program.function:
        raise ValueError(f"{path.name} needs a function: a command that speaks Lambda's Runtime API")
    if (
        not path.runs_function
        and not program.service
        and not (path.protocol == "websocket" and program.function)
    ):
        raise ValueError(f"{path.name} needs a service: a command with {{port}} in it, or a URL")
    if path.protocol != "sse" and isinstance(program.service, str):
        raise ValueError(
            f"{path.name} has to tell the program where its answers go, so it starts the program itself: "
            "give a command with {port} in it"
        )
    with ExitStack() as stack:
        yield Wiring(
            path,
            program,
            emulator,
            limits,
            dialect or ReferenceDialect(request=REQUESTS[path.protocol]),
            stack,
        )
