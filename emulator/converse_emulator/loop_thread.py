"""A thread with an event loop of its own, for what serves in the background of a test."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs coroutines from `start` to `stop`, asked for from any other thread."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread

    @property
    def running(self) -> bool:
        return self._loop is not None

    def start(self) -> None:
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=_serve, args=[self._loop], name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Cancel what still runs, and end the thread."""
        assert self._loop is not None
        self.run(_cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop = None

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine, run in the loop."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def soon(self, function: Callable[[], object]) -> None:
        """Have a function called in the thread; nobody waits for it."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(function)

    def call(self, function: Callable[[], T]) -> T:
        """The result of a function, called in the thread; once that has ended, here."""
        if self._loop is None:
            return function()

        async def called() -> T:
            return function()

        return self.run(called())


TURNS = 3  # of the loop: one that is accepted last is made, cut, and its socket closed


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    # Who was let in after everything was cut is known to the loop alone, and only by this private name.
    for transport in list(getattr(asyncio.get_running_loop(), "_transports", {}).values()):
        transport.abort()
    for _ in range(TURNS):
        await asyncio.sleep(0)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()
