"""What wakes a clock at a moment: a timer of the event loop, or where there is one the kernel's own.

asyncio waits in whole milliseconds, rounded up. A `timerfd` of Linux rings to the microsecond, and the loop
watches it as it does a socket. What is due sooner than setting it takes comes in the next turn instead.
"""

import asyncio
import os
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

Ring = Callable[[], None]

_ABSOLUTE, _NONBLOCK, _CLOEXEC = 1, os.O_NONBLOCK, getattr(os, "O_CLOEXEC", 0)
_MONOTONIC = 1
_TIMES = struct.Struct("qqqq")
SOON = 0.0001  # seconds; a virtual machine takes as long to set a timer and to wake up by it


class Alarm(Protocol):
    """Rings at the moment it was last set to; it may ring before, and then for nothing."""

    def set(self, moment: float) -> None: ...

    def close(self) -> None: ...


def time_of(loop: asyncio.AbstractEventLoop) -> Callable[[], float]:
    """A loop's time; where that is the system's, without the way through the loop."""
    return time.monotonic if type(loop).time is asyncio.BaseEventLoop.time else loop.time


def alarm(ring: Ring) -> Alarm:
    """The best alarm there is for the running loop."""
    loop = asyncio.get_running_loop()
    # The kernel's moments are those of the loop only if its time is the system's.
    if sys.platform == "linux" and time_of(loop) is time.monotonic:
        with suppress(OSError, AttributeError):  # another C library, or a sandbox
            return _KernelAlarm(loop, ring)
    return _LoopAlarm(loop, ring)


class _LoopAlarm:
    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Ring) -> None:
        self._loop = loop
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None

    def set(self, moment: float) -> None:
        self.close()
        self._timer = self._loop.call_at(moment, self._ring)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class _KernelAlarm:
    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Ring) -> None:
        self._loop = loop
        self._ring = ring
        self._libc = _libc()
        self._fd: int = self._libc.timerfd_create(_MONOTONIC, _NONBLOCK | _CLOEXEC)
        if self._fd < 0:
            raise OSError("no timerfd")
        self._soon: asyncio.Handle | None = None
        loop.add_reader(self._fd, self._rang)

    def set(self, moment: float) -> None:
        if moment - time.monotonic() < SOON:
            if self._soon is None:
                self._soon = self._loop.call_soon(self._is_soon)
            return
        seconds = int(moment)
        # At least a nanosecond: zero would stop it.
        times = _TIMES.pack(0, 0, seconds, int((moment - seconds) * 1e9) + 1)
        self._libc.timerfd_settime(self._fd, _ABSOLUTE, times, None)

    def close(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    def _is_soon(self) -> None:
        self._soon = None
        self._ring()

    def _rang(self) -> None:
        with suppress(BlockingIOError):  # it was set anew meanwhile
            os.read(self._fd, 8)
            self._ring()


def _libc() -> Any:
    """The C library: Python has had these functions since 3.13 only."""
    import ctypes  # 10 ms, and only what is paced needs it

    return ctypes.CDLL(None)
