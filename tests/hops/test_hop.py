"""What every hop is: a thread, a port, a pace, a journal; and the command that runs one."""

import asyncio
import gc
import socket
import threading

import pytest
from converse_hops.http.server import Incoming
from converse_hops.pace import LimitReached, Pace

from tests.hops.peers import LAST, Origin, everything


async def hello(incoming: Incoming) -> None:
    await incoming.answer(200, [], b"hi")


def test_it_is_up_from_start_to_stop_and_leaves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    threads = threading.active_count()
    hop = Origin(hello)
    assert not hop.running
    with hop:
        assert hop.url.startswith("http://127.0.0.1:")
        assert everything(hop.url, LAST).endswith(b"hi")
    hop.stop()  # harmless
    assert threading.active_count() == threads
    with hop:  # and again
        assert everything(hop.url, LAST).endswith(b"hi")
    gc.collect()
    assert caplog.record_tuples == []
    assert len(hop.journal) == 2


def test_one_that_cannot_start_leaves_nothing() -> None:
    class Broken(Origin):
        async def _open(self, listening: socket.socket) -> None:  # noqa: ARG002
            raise ZeroDivisionError("not today")

    threads = threading.active_count()
    origin = Origin(hello)
    broken = Broken(hello)
    broken._origin = origin
    with pytest.raises(ZeroDivisionError, match="not today"):
        broken.start()
    assert (broken.running, origin.running, threading.active_count()) == (False, False, threads)


def test_a_mistake_in_a_hop_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async def wrong(_: Incoming) -> None:
        raise ZeroDivisionError("a mistake")

    with Origin(wrong) as hop:
        assert everything(hop.url, LAST) == b""
    assert hop.journal.last.of("failed")[0].detail == "ZeroDivisionError('a mistake')"
    assert "a mistake" in caplog.text


def test_a_speed_is_positive() -> None:
    with pytest.raises(ValueError, match="the speed must be more than 0, not 0"):
        Pace(0)


def test_a_limit_is_scaled_and_says_its_name() -> None:
    async def wait() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(LimitReached, match="idle timeout of 60 s") as reached:
            async with Pace(600).limit("idle timeout", 60):
                await asyncio.sleep(30)
        assert (reached.value.name, reached.value.seconds) == ("idle timeout", 60)
        return loop.time() - began

    assert 0.1 <= asyncio.run(wait()) < 5


def test_a_timeout_of_somebody_else_is_not_a_limit() -> None:
    async def wait() -> None:
        async with Pace().limit("idle timeout", 60):
            raise TimeoutError("another one")

    with pytest.raises(TimeoutError, match="another one"):
        asyncio.run(wait())
