"""One execution environment of a function: a process and the Runtime API that is its own."""

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from converse_emulator.address import listen

from converse_hops.functions.backlog import Backlog
from converse_hops.functions.invocation import Failure, Invocation
from converse_hops.functions.runtime_api import answer
from converse_hops.functions.runtimes import Runtimes
from converse_hops.http.server import HttpServer
from converse_hops.pace import Pace

MOST_LINE = 65_536  # bytes of a line in our log; a longer one is several
_log = logging.getLogger("converse_hops.function")


@dataclass(frozen=True, slots=True)
class Program:
    """What is run: any program that speaks the Runtime API. `env` comes on top of this process's own."""

    command: Sequence[str]
    name: str
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str | Path | None = None

    def environment(self, runtime_api: str) -> dict[str, str]:
        """Its environment, with what the service sets; the region is this process's own, if it has one."""
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        return {
            **os.environ,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "$LATEST",
            "LAMBDA_TASK_ROOT": str(self.cwd or Path.cwd()),
            **self.env,
            "AWS_LAMBDA_RUNTIME_API": runtime_api,
        }


class Sandbox(Runtimes):
    """Handles one invocation at a time. `ended` is called once its process is no more."""

    def __init__(
        self,
        program: Program,
        backlog: Backlog,
        pace: Pace,
        timeout: float,
        ended: "Callable[[Sandbox], Awaitable[None]]",
    ) -> None:
        super().__init__(backlog, pace, timeout)
        self._program = program
        self._ended = ended
        self._current: Invocation | None = None
        self._doomed = False  # its process has ended, or is about to
        self._process: asyncio.subprocess.Process | None = None
        self._server = HttpServer(lambda incoming: answer(incoming, self))
        self._taking = False  # one that `taken` or `put_back` is about to tell of
        self._watcher: asyncio.Task[None]

    @property
    def idle(self) -> bool:
        """Whether it takes the next invocation; one that is still starting does."""
        busy = self._taking or (self._current is not None and self._current.state != "done")
        return not self._doomed and not busy

    async def start(self) -> None:
        listening, url = listen("127.0.0.1", 0)
        await self._server.open(listening)
        self._watcher = asyncio.get_running_loop().create_task(
            self._run(url.removeprefix("http://")), name=f"sandbox of {self._program.name}"
        )

    async def stop(self) -> None:
        """Kill the process, and what it started."""
        self._watcher.cancel()
        await asyncio.wait({self._watcher})
        await self._server.close()

    async def take(self) -> Invocation:
        invocation = await super().take()
        self._taking = True
        return invocation

    def taken(self, invocation: Invocation) -> int:
        self._current, self._taking = invocation, False
        return super().taken(invocation)

    async def put_back(self, invocation: Invocation) -> None:
        self._current, self._taking = None, False
        await super().put_back(invocation)

    async def timed_out(self, invocation: Invocation) -> None:
        self._doomed = True
        failing = asyncio.create_task(super().timed_out(invocation))
        await asyncio.sleep(0)  # it has said why before the process is cut off; then it may have to wait
        self._kill()
        await failing

    async def _run(self, runtime_api: str) -> None:
        try:
            how = await self._life(runtime_api)
        except OSError as error:
            how = f"Couldn't start the runtime: {error}"
            failure = "Runtime.InvalidEntrypoint"
        else:
            failure = "Runtime.ExitError"
        self._doomed = True
        invocation = self._current or self._backlog.oldest()
        if invocation and invocation.state in ("waiting", "running"):
            message = f"RequestId: {invocation.id} Error: {how}"
            await invocation.fail(Failure.of(failure, message))
        elif invocation:
            await invocation.over.wait()  # the last that the process posted is still on its way
        await self._server.close()
        await self._ended(self)

    async def _life(self, runtime_api: str) -> str:
        """From start to end; how it ended."""
        process = await asyncio.create_subprocess_exec(
            *self._program.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self._program.environment(runtime_api),
            cwd=self._program.cwd,
            start_new_session=True,
        )
        self._process = process
        assert process.stdout
        try:
            await self._listen(process.stdout)
        finally:
            self._kill()  # also what the program started and left behind
            await process.communicate()
        status = process.returncode or 0
        if status < 0:
            return f"Runtime exited with error: signal: {signal.strsignal(-status) or -status}".lower()
        if status == 0:
            return "Runtime exited without providing a reason"
        return f"Runtime exited with error: exit status {status}"

    async def _listen(self, output: asyncio.StreamReader) -> None:
        """What the program prints: whole lines for our log, and all of it for the invocation's."""
        rest = b""
        while data := await output.read(4096):
            if self._current:
                self._current.print(data)
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > MOST_LINE:
                lines, rest = [*lines, rest], b""
            for line in lines:
                _log.info("%s", line.decode(errors="replace"))
        if rest:
            _log.info("%s", rest.decode(errors="replace"))

    def _kill(self) -> None:
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
