"""Gates: every opening lets one play pass, whichever comes first."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from converse_emulator.playing import gates as module
from converse_emulator.playing.gates import Gates, TooManyOpenings


def run(play: Callable[[Gates], Coroutine[Any, Any, Any]]) -> Gates:
    async def main() -> Gates:
        gates = Gates()
        await asyncio.wait_for(play(gates), 5)
        return gates

    return asyncio.run(main())


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_gate_holds_until_it_is_opened() -> None:
    async def play(gates: Gates) -> None:
        waiting = asyncio.create_task(gates.wait("a"))
        await settle()
        assert not waiting.done()
        assert gates.listing() == [{"name": "a", "waiting": 1, "opened": 0}]
        gates.open("a")
        await waiting

    assert run(play).listing() == []


def test_an_opening_before_anybody_comes_is_kept() -> None:
    async def play(gates: Gates) -> None:
        gates.open("a")
        assert gates.listing() == [{"name": "a", "waiting": 0, "opened": 1}]
        await gates.wait("a")

    assert run(play).listing() == []


def test_one_opening_lets_one_pass_the_longest_waiting_first() -> None:
    async def play(gates: Gates) -> None:
        first, second = asyncio.create_task(gates.wait("a")), asyncio.create_task(gates.wait("a"))
        await settle()
        gates.open("a")
        await first
        await settle()
        assert not second.done()
        gates.open("a")
        await second

    run(play)


def test_gates_of_other_names_stay_shut() -> None:
    async def play(gates: Gates) -> None:
        waiting = asyncio.create_task(gates.wait("a"))
        gates.open("b")
        await settle()
        assert not waiting.done()
        waiting.cancel()

    run(play)


def test_sessions_have_their_own_gates() -> None:
    async def play(gates: Gates) -> None:
        waiting = asyncio.create_task(gates.of("tests").wait("a"))
        await settle()
        gates.of("other").open("a")
        await settle()
        assert not waiting.done()
        gates.of("other").forget()
        assert gates.of("tests").listing() == [{"name": "a", "waiting": 1, "opened": 0}]
        gates.of("tests").open("a")
        await waiting
        assert gates.of("other").listing() == []

    run(play)


def test_an_opening_for_one_who_left_is_for_the_next() -> None:
    async def play(gates: Gates) -> None:
        gone = asyncio.create_task(gates.wait("a"))
        await settle()
        gates.open("a")
        gone.cancel()
        await asyncio.wait([gone])
        assert gone.cancelled()
        await gates.wait("a")

    assert run(play).listing() == []


def test_who_leaves_without_an_opening_leaves_nothing() -> None:
    async def play(gates: Gates) -> None:
        gone = asyncio.create_task(gates.wait("a"))
        await settle()
        gone.cancel()
        await asyncio.wait([gone])

    assert run(play).listing() == []


def test_forgetting_drops_openings_and_keeps_those_who_wait() -> None:
    async def play(gates: Gates) -> None:
        waiting = asyncio.create_task(gates.wait("a"))
        await settle()
        gates.open("b")
        gates.forget()
        assert gates.listing() == [{"name": "a", "waiting": 1, "opened": 0}]
        gates.open("a")
        await waiting

    run(play)


@pytest.mark.parametrize("name", [lambda _: "same", lambda number: f"gate {number}"])
def test_openings_are_bounded(name: Callable[[int], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_GATES", 5)
    monkeypatch.setattr(module, "MOST_OPENINGS", 5)
    gates = Gates()
    for number in range(5):
        gates.open(name(number))
    with pytest.raises(TooManyOpenings, match="gate"):
        gates.open(name(5))
