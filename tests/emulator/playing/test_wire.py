"""The wire in memory, which the player's tests rely on."""

import asyncio

import pytest
from converse_emulator.playing.wire import ClientLeft, MemoryWire


def test_it_keeps_what_came_in_order() -> None:
    async def act() -> MemoryWire:
        wire = MemoryWire()
        await wire.head(200, (("Date", "now"),))
        await wire.send(b"ab")
        await wire.send(b"c")
        await wire.finish()
        await wire.hangup()
        await wire.reset()
        return wire

    wire = asyncio.run(act())
    assert wire.acts[0] == ("head", (200, (("Date", "now"),)))
    assert [name for name, _ in wire.acts[1:]] == ["send", "send", "finish", "hangup", "reset"]
    assert wire.body == b"abc"


def test_the_client_leaves_after_so_many_acts() -> None:
    async def act() -> None:
        wire = MemoryWire(stays=2)
        await wire.head(200, ())
        assert not wire.left.done()
        await wire.send(b"a")
        assert wire.left.done()
        with pytest.raises(ClientLeft):
            await wire.send(b"b")
        assert wire.body == b"a"

    asyncio.run(act())
