"""Paths put together: the answer arrives over each, and each hop tells what it had and passed on."""

import asyncio
import sys
from collections.abc import Iterator

import httpx
import pytest
from converse_contract.case import Limits
from converse_contract.delivery import PATHS, REFERENCE, Program, Tuning, Way, wire
from converse_contract.delivery.appsync import channel_name
from converse_contract.hop_state import HopState
from converse_contract.listen import HandlerUnreachable
from converse_contract.serving import DidNotStart, serving
from converse_contract.transcript import Finished, Transcript
from converse_contract.upstream import Upstream, session_name

LIMITS = Limits(first_byte=20.0, heartbeat=1.0)  # the first invocation starts a program
TEXT = "Your plan renews on 1 March."
FORGOTTEN = {
    "function-url": ("function URL", "InvokeMode: RESPONSE_STREAM"),
    "rest-api": ("REST API", "responseTransferMode: STREAM"),
    "cloudfront": ("function URL", "InvokeMode: RESPONSE_STREAM"),
    "web-adapter": ("Lambda Web Adapter", "AWS_LWA_INVOKE_MODE=response_stream"),
    "proxy": ("proxy", "X-Accel-Buffering: no"),
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    with serving("converse_emulator", "serve", "--port", "0") as url:
        yield url


def asked(way: Way, emulator: str) -> tuple[Transcript, tuple[HopState, ...]]:
    """One answer over the path, and what each hop on it did."""

    async def ask() -> tuple[Transcript, tuple[HopState, ...]]:
        async with httpx.AsyncClient(timeout=None, trust_env=False) as client:
            session = session_name("10.1")
            await Upstream(emulator, client).arm(session, [TEXT])
            transcript = await way.target.listener(client).listen(session, None)
            for _ in range(50):  # the browser has it before the journals do
                if all(hop.held == 0 for hop in way.states(session)):
                    break
                await asyncio.sleep(0.02)
            return transcript, way.states(session)

    return asyncio.run(ask())


@pytest.mark.parametrize("name", PATHS)
def test_an_answer_arrives(name: str, emulator: str) -> None:
    with wire(PATHS[name], REFERENCE, emulator, LIMITS) as wiring, wiring.open() as way:
        transcript, hops = asked(way, emulator)
        other, others = asked(way, emulator)
    assert (transcript.text, transcript.ending) == (TEXT, "complete")
    assert isinstance(transcript.terminal, Finished)
    assert other.text == TEXT
    assert len({hop.name for hop in hops}) == len(hops) >= 1
    for mine, both in zip(hops, others, strict=True):
        assert len(mine.passings) >= 3
        assert mine.held == both.held == 0


@pytest.mark.parametrize("name", FORGOTTEN)
def test_a_switch_that_is_forgotten_is_told(name: str, emulator: str) -> None:
    place, remedy = FORGOTTEN[name]
    with (
        wire(PATHS[name], REFERENCE, emulator, LIMITS) as wiring,
        wiring.open(Tuning(forget=True)) as way,
    ):
        _, hops = asked(way, emulator)
    (hop,) = (hop for hop in hops if hop.name == place)
    assert remedy in hop.remedy
    assert hop.total("received") > 0


def test_what_passed_in_one_session_is_told_apart(emulator: str) -> None:
    with wire(PATHS["websocket"], REFERENCE, emulator, LIMITS) as wiring, wiring.open() as way:
        _, (first,) = asked(way, emulator)
        _, (second,) = asked(way, emulator)
    assert first.total("passed") == pytest.approx(second.total("passed"), abs=80)


@pytest.mark.parametrize(
    ("tuning", "speed"),
    [(Tuning(), 1.0), (Tuning(idle=1.5), 20.0), (Tuning(total=9.0), 1.0), (Tuning(forget=True), 1.0)],
)
def test_clocks_are_scaled_to_what_a_case_can_wait_for(tuning: Tuning, speed: float) -> None:
    assert tuning.speed(PATHS["rest-api"]) == speed


def test_a_path_without_a_limit_is_not_scaled() -> None:
    assert Tuning(idle=1.0).speed(PATHS["appsync"]) == 1.0


@pytest.mark.parametrize(
    ("path", "program", "said"),
    [
        ("function-url", Program(service="http://127.0.0.1:1"), "function-url needs a function"),
        ("load-balancer", Program(function=("node", "app.mjs")), "load-balancer needs a service"),
        ("websocket", Program(service="http://127.0.0.1:1"), "starts the program itself"),
        ("appsync", Program(), "appsync needs a service"),
    ],
)
def test_a_program_of_the_wrong_kind_is_refused(path: str, program: Program, said: str) -> None:
    with pytest.raises(ValueError, match=said), wire(PATHS[path], program, "http://127.0.0.1:1", LIMITS):
        pass


def test_a_program_that_ends_at_once_has_its_last_words_told() -> None:
    program = Program(service=(sys.executable, "-c", "print('no such setting')", "{port}"))
    with (
        wire(PATHS["load-balancer"], program, "http://127.0.0.1:1", LIMITS) as wiring,
        pytest.raises(DidNotStart, match="no such setting"),
        wiring.open(),
    ):
        pass


def test_a_service_that_runs_already_is_reached(emulator: str) -> None:
    from converse_contract.serving import environment

    with serving("converse_handler", "--port", "0", env=environment(emulator, LIMITS)) as url:
        program = Program.of(None, url)
        with wire(PATHS["load-balancer"], program, emulator, LIMITS) as wiring, wiring.open() as way:
            transcript, _ = asked(way, emulator)
    assert transcript.text == TEXT


def test_commands_are_read_as_a_shell_would() -> None:
    assert Program.of("node 'my app.mjs'", "serve --port {port}") == Program(
        ("node", "my app.mjs"), ("serve", "--port", "{port}")
    )
    with pytest.raises(ValueError, match="neither a URL nor a command with"):
        Program.of(None, "serve --port 8000")


def test_a_session_is_a_segment_of_a_channel() -> None:
    assert channel_name("case-10.1-0a1b") == "case-10-1-0a1b"


def test_nobody_at_the_far_end_is_said_so() -> None:
    with (
        wire(
            PATHS["load-balancer"], Program(service="http://127.0.0.1:1"), "http://127.0.0.1:1", LIMITS
        ) as wiring,
        wiring.open() as way,
    ):
        target = way.target

    async def ask() -> None:
        async with httpx.AsyncClient(timeout=None, trust_env=False) as client:
            await target.listener(client).listen("one", None)

    with pytest.raises(HandlerUnreachable, match="no handler at"):
        asyncio.run(ask())
