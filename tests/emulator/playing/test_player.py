"""The player, on a virtual clock and a wire in memory: order, moments, joined writes, endings."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from converse_emulator.playing import player
from converse_emulator.playing.acts import (
    Act,
    Beat,
    Ended,
    ErrorCode,
    Finish,
    Gate,
    GoAway,
    Hangup,
    Head,
    Hold,
    Raw,
    Reset,
    Send,
    Timeline,
    Torn,
)
from converse_emulator.playing.clock import Clock, RealClock, VirtualClock
from converse_emulator.playing.gates import Gates
from converse_emulator.playing.player import play
from converse_emulator.playing.wire import MemoryWire
from hypothesis import given
from hypothesis import strategies as st


class Notes:
    """A record: acts by what they are, with their actual moments."""

    def __init__(self, origin: float = 0.0) -> None:
        self.origin = origin
        self.acts: list[tuple[Act, float]] = []
        self.writes: list[int] = []
        self.how: Ended | None = None
        self.after = -1.0

    def performed(self, beats: Sequence[Beat], first: int, end: int, actual: float) -> None:
        self.acts += [(beat.act, actual) for beat in beats[first:end]]
        self.writes.append(end - first)

    def ended(self, how: Ended, after: float) -> None:
        assert self.how is None
        self.how, self.after = how, after


def timeline(*beats: tuple[float, Act]) -> Timeline:
    return Timeline(tuple(Beat(at, act) for at, act in beats), 0)


def played(
    script: Timeline,
    wire: MemoryWire,
    gates: Gates | None = None,
    notes: Notes | None = None,
    clock: Clock | None = None,
) -> Notes:
    notes = notes or Notes()
    performance = play(script, wire, clock or VirtualClock(), gates or Gates(), notes)
    asyncio.run(asyncio.wait_for(performance, 10))
    return notes


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  (there is no event for it)
        await asyncio.sleep(0)


HEAD = Head(200, (("Content-Type", "x"),))
A, B, C = Send(b"a", "a"), Send(b"b", "b"), Send(b"c", "c")


def test_every_act_comes_at_its_moment() -> None:
    wire = MemoryWire()
    notes = played(timeline((0.8, HEAD), (0.8, A), (60, B), (61.5, Finish())), wire)
    assert notes.acts == [(HEAD, 0.8), (A, 0.8), (B, 60), (Finish(), 61.5)]
    assert wire.acts == [("head", (200, HEAD.headers)), ("send", b"a"), ("send", b"b"), ("finish", None)]
    assert (notes.how, notes.after) == ("finished", 61.5)


def test_moments_count_from_the_request() -> None:
    notes = played(
        timeline((1, HEAD), (2, Finish())), MemoryWire(), notes=Notes(100), clock=VirtualClock(100.5)
    )
    assert [actual for _, actual in notes.acts] == [1, 2]


def test_sends_of_one_moment_are_one_write() -> None:
    wire = MemoryWire()
    notes = played(timeline((0, HEAD), (1, A), (1, B), (2, C), (2, Finish())), wire)
    assert [what for name, what in wire.acts if name == "send"] == [b"ab", b"c"]
    assert [act for act, _ in notes.acts] == [HEAD, A, B, C, Finish()]
    assert notes.writes == [1, 2, 1, 1]


def test_overdue_sends_are_one_write() -> None:
    wire = MemoryWire()
    late = VirtualClock(10)
    played(timeline((0, HEAD), (1, A), (2, B), (12, C), (12, Finish())), wire, clock=late)
    assert [what for name, what in wire.acts if name == "send"] == [b"ab", b"c"]


def test_a_write_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "MOST_JOINED", 2)
    wire = MemoryWire()
    played(timeline((0, HEAD), (0, A), (0, B), (0, C), (0, Finish())), wire)
    assert [what for name, what in wire.acts if name == "send"] == [b"ab", b"c"]


@pytest.mark.parametrize(
    ("last", "act", "how"),
    [
        (Finish(), ("finish", None), "finished"),
        (Hangup(), ("hangup", False), "hung up"),
        (Hangup(connection=True), ("hangup", True), "hung up"),
        (Reset(), ("reset", (ErrorCode.INTERNAL_ERROR, False)), "reset"),
        (Reset(ErrorCode.CANCEL, True), ("reset", (ErrorCode.CANCEL, True)), "reset"),
    ],
)
def test_the_last_act_ends_the_exchange(last: Act, act: tuple[str, object], how: str) -> None:
    wire = MemoryWire()
    notes = played(timeline((0, HEAD), (0, A), (3, last)), wire)
    assert wire.acts[-1] == act
    assert (notes.how, notes.after) == (how, 3)


def test_an_error_status_is_a_refusal() -> None:
    notes = played(timeline((0, Head(429, ())), (0, A), (0, Finish())), MemoryWire())
    assert notes.how == "refused"


def test_a_gate_moves_what_follows_by_the_time_it_held() -> None:
    async def hold() -> Notes:
        clock, gates, notes = VirtualClock(), Gates(), Notes()
        script = timeline((0, HEAD), (1, Gate("g")), (1.5, A), (2, Finish()))
        playing = asyncio.create_task(play(script, MemoryWire(), clock, gates, notes))
        await until(lambda: bool(gates.listing()))
        await clock.sleep_until(30)
        gates.open("g")
        await asyncio.wait_for(playing, 5)
        return notes

    notes = asyncio.run(hold())
    assert notes.acts == [(HEAD, 0), (Gate("g"), 30), (A, 30.5), (Finish(), 31)]


def test_an_open_gate_moves_nothing() -> None:
    gates = Gates()
    gates.open("g")
    notes = played(timeline((0, HEAD), (1, Gate("g")), (1.5, A), (2, Finish())), MemoryWire(), gates)
    assert [actual for _, actual in notes.acts] == [0, 1, 1.5, 2]


def test_a_hold_lasts_until_the_client_leaves() -> None:
    async def hold() -> Notes:
        clock, wire, notes = VirtualClock(), MemoryWire(), Notes()
        playing = asyncio.create_task(play(timeline((0, HEAD), (5, Hold())), wire, clock, Gates(), notes))
        await until(lambda: len(notes.acts) == 2)
        await clock.sleep_until(900)
        assert not playing.done()
        wire.leave()
        await asyncio.wait_for(playing, 5)
        return notes

    notes = asyncio.run(hold())
    assert notes.acts == [(HEAD, 0), (Hold(), 5)]
    assert (notes.how, notes.after) == ("client left", 900)


@pytest.mark.parametrize("waiting", [(60, A), (0, Gate("shut"))])
def test_a_client_that_leaves_ends_a_wait_at_once(waiting: tuple[float, Act]) -> None:
    """On the real clock: sixty seconds of waiting are cut short."""

    async def leave() -> Notes:
        wire, clock = MemoryWire(), RealClock()
        notes = Notes(clock.now())
        script = timeline((0, HEAD), waiting, (61, Finish()))
        playing = asyncio.create_task(play(script, wire, clock, Gates(), notes))
        await until(lambda: bool(notes.acts))
        wire.leave()
        await asyncio.wait_for(playing, 10)
        return notes

    notes = asyncio.run(leave())
    assert [act for act, _ in notes.acts] == [HEAD]
    assert notes.how == "client left"
    assert notes.after < 10


def test_a_client_may_leave_in_the_same_turn_of_the_loop_as_the_end() -> None:
    async def leave() -> tuple[Notes, list[object]]:
        problems: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        wire, gates, notes = MemoryWire(), Gates(), Notes()
        script = timeline((0, HEAD), (0, Gate("g")), (0, Finish()))
        playing = asyncio.create_task(play(script, wire, VirtualClock(), gates, notes))
        await until(lambda: bool(gates.listing()))
        gates.open("g")
        wire.leave()
        await asyncio.wait_for(playing, 5)
        return notes, problems

    notes, problems = asyncio.run(leave())
    assert notes.how in ("finished", "client left")
    assert problems == []


def test_nothing_is_sent_to_a_client_that_left() -> None:
    wire = MemoryWire(stays=2)
    notes = played(timeline((0, HEAD), (1, A), (2, B), (3, Finish())), wire)
    assert [name for name, _ in wire.acts] == ["head", "send"]
    assert [act for act, _ in notes.acts] == [HEAD, A]
    assert notes.how == "client left"


def test_a_cancelled_play_was_stopped() -> None:
    async def stop() -> Notes:
        notes = Notes()
        playing = asyncio.create_task(
            play(timeline((0, HEAD), (1, Hold())), MemoryWire(), VirtualClock(), Gates(), notes)
        )
        await until(lambda: len(notes.acts) == 2)
        playing.cancel()
        await asyncio.wait([playing])
        assert playing.cancelled()
        return notes

    assert asyncio.run(stop()).how == "stopped"


@given(
    gaps=st.lists(st.floats(0, 100), min_size=1, max_size=30),
    stays=st.none() | st.integers(1, 30),
    started=st.floats(0, 1000),
)
def test_any_timeline_is_played_in_order_and_never_early(
    gaps: list[float], stays: int | None, started: float
) -> None:
    """The body is a prefix of what was planned, all of it if the client stays; no act comes early."""
    at, beats = 0.0, [Beat(0, HEAD)]
    for number, gap in enumerate(gaps):
        at += gap
        beats.append(Beat(at, Send(bytes([number]), "byte")))
    script = Timeline((*beats, Beat(at, Finish())), 0)
    wire = MemoryWire(stays)
    notes = played(script, wire, clock=VirtualClock(started))
    planned = bytes(range(len(gaps)))
    assert planned.startswith(wire.body)
    assert (notes.how == "finished") == (wire.body == planned and wire.acts[-1][0] == "finish")
    assert [act for act, _ in notes.acts] == [beat.act for beat in script.beats[: len(notes.acts)]]
    for beat, (_, actual) in zip(script.beats, notes.acts, strict=False):
        assert actual >= beat.at


def test_what_http_has_no_words_for_goes_to_the_wire_as_it_is() -> None:
    wire = MemoryWire()
    played(
        timeline(
            (0, Torn(HEAD, 0.5)), (1, Raw(b"x", "noise")), (2, GoAway(ErrorCode.NO_ERROR)), (2, Hangup())
        ),
        wire,
    )
    assert wire.acts == [
        ("tear", (HEAD, 0.5)),
        ("raw", b"x"),
        ("go away", ErrorCode.NO_ERROR),
        ("hangup", False),
    ]


def test_what_stands_alone_is_not_joined() -> None:
    wire = MemoryWire()
    alone = Send(b"-", "x", alone=True)
    played(timeline((0, HEAD), (0, A), (0, A), (0, alone), (0, alone), (0, A), (0, Finish())), wire)
    sent = [what for name, what in wire.acts if name == "send"]
    assert sent == [A.data * 2, b"-", b"-", A.data]


@pytest.mark.parametrize(
    ("act", "comes"),
    [
        (Head(100, ()), ("head", (100, ()))),
        (Send(b"x", "byte"), ("send", b"x")),
        (Raw(b"x", "byte"), ("raw", b"x")),
    ],
)
def test_a_hold_may_repeat_an_act_until_the_client_leaves(
    act: Head | Send | Raw, comes: tuple[str, object]
) -> None:
    wire = MemoryWire(stays=4)
    notes = played(timeline((2, Hold(act, every=5))), wire)
    assert wire.acts == [comes] * 4
    assert [at for act_, at in notes.acts if act_ is act][:3] == [2, 7, 12]
    assert notes.how == "client left"
