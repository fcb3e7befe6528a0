"""Every scenario of the library, streamed by real clients: each fault raises what it raises in reality.

What a client raises depends on how the scenario ends and on nothing else. The table holds for all versions,
from the oldest supported botocore to the newest.
"""

import asyncio
import importlib.util
import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from converse_emulator import Emulator, Library, Session
from converse_emulator.choosing.request import Request
from converse_emulator.choosing.selection import Selector
from converse_emulator.http.refusals import REFUSALS
from converse_emulator.language.faults import Corrupt
from converse_emulator.language.scenario import (
    FOREVER,
    Bytes,
    Event,
    Finish,
    Gate,
    Hangup,
    Placed,
    Reasoning,
    Refuse,
    Reply,
    Reset,
    Text,
    Throw,
    ToolUse,
    Wait,
)
from converse_emulator.shapes.service import stream_exceptions

from conformance.clients import Client, load_clients
from conformance.environments import is_built, python_of

SPEED = 1000.0  # the longest scenario lasts 17 minutes
LIBRARY = Library()
# Of the others a client may show anything: `conformance/faults.toml` has what it is.
TOLD_ELSEWHERE = ("connection", "frames", "responses", "segments")
NAMES = [
    name
    for name in LIBRARY.names()
    if name.split("/")[0] not in TOLD_ELSEWHERE
    and not any(isinstance(step, Placed) for reply in LIBRARY.get(name).replies for step in reply)
]
PATIENCE = 60.0  # seconds, for what does not stall: on a busy machine that may take a while
STALL = 5.0  # seconds, for what does

Came = dict[str, Any]


def module_of(path: Path) -> ModuleType:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = Path(__file__).with_name("stream_scenarios.py")
script = module_of(SCRIPT)
BOTO3 = [client for client in load_clients().values() if client.name == "boto3"]


@dataclass(frozen=True, slots=True)
class Raises:
    """An exception: a class of its family, and a regular expression for its text."""

    kind: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What botocore and aiobotocore raise; `None`: their loop just ends."""

    botocore: Raises | None
    aiobotocore: Raises | None


def both(kind: str, text: str) -> Expected:
    return Expected(Raises(kind, text), Raises(kind, text))


# By the way a scenario ends. That clean ends raise nothing is botocore's way, and what handlers fall for.
EXPECTED: Mapping[str, Expected] = {
    "complete": Expected(None, None),
    "clean end": Expected(None, None),
    "refused": both("ClientError", r"^An error occurred \(\w+\) when calling the ConverseStream .*: ."),
    "exception": both("EventStreamError", r"^An error occurred \([a-z]\w+Exception\) .*: ."),
    "unmodelled": both("EventStreamError", r"^An error occurred \(\) .*: $"),
    "error message": both("EventStreamError", r"^An error occurred \(InternalFailure\) .*: ."),
    "corrupt": both("ChecksumMismatch", r"^Checksum mismatch: expected 0x\w+, calculated 0x\w+$"),
    "hangup": Expected(
        Raises("ProtocolError", "Response ended prematurely|IncompleteRead"), Raises("ClientPayloadError")
    ),
    "reset": Expected(
        Raises("ProtocolError", r"Connection broken: ConnectionResetError\(104"), Raises("ClientPayloadError")
    ),
    "stall": Expected(
        Raises("ReadTimeoutError", r"^AWSHTTPConnectionPool\(.*Read timed out\.$"),
        Raises("SocketTimeoutError", "Timeout on reading"),
    ),
    "hangup before headers": Expected(Raises("ConnectionClosedError"), Raises("ConnectionClosedError")),
    "reset before headers": Expected(Raises("ConnectionClosedError"), Raises("EndpointConnectionError")),
    "stall before headers": both("ReadTimeoutError", r"^Read timeout on endpoint URL"),
}


def ending(reply: Reply) -> str:
    """How a reply ends, as a key of `EXPECTED`."""
    when = " before headers"
    for step in reply:
        match step:
            case Text() | Reasoning() | ToolUse() | Event():
                when = ""
            case Refuse():
                return "refused"
            case Throw(kind="error"):
                return "error message"
            case Throw(name):
                return "exception" if name in stream_exceptions() else "unmodelled"
            case Corrupt() | Bytes():  # no event stream at all
                return "corrupt"
            case Finish():
                return "clean end"
            case Hangup():
                return f"hangup{when}"
            case Reset():
                return f"reset{when}"
            case Wait(duration) if duration is FOREVER:
                return f"stall{when}"
    return "complete"


@cache
def first_reply(name: str) -> Reply:
    """What the first request for a scenario gets."""
    request = Request("ConverseStream", "m", {}, {"messages": []}, scenario=name)
    reply = Selector(LIBRARY).select(request).reply
    assert reply is not None
    return reply


def ending_of(name: str) -> str:
    return ending(first_reply(name))


def test_the_library_has_every_way_to_end() -> None:
    assert {ending_of(name) for name in NAMES} == set(EXPECTED)


# ------------------------------------------------------------------------------------------ clients


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(speed=SPEED) as running:
        yield running


def groups() -> list[tuple[float, list[str]]]:
    """The scenarios by the read timeout they are streamed with. Those that stall wait for it together."""
    stalling = [name for name in NAMES if ending_of(name).startswith("stall")]
    return [(PATIENCE, [name for name in NAMES if name not in stalling]), (STALL, stalling)]


def opened(emulator: Emulator, session: str) -> Session:
    """A session with all gates open."""
    gates = {
        step.name
        for name in NAMES
        for reply in LIBRARY.get(name).replies
        for step in reply
        if isinstance(step, Gate)
    }
    for gate in gates:
        emulator.session(session).open_gate(gate)
    return emulator.session(session)


def with_sent(session: Session, came: Iterable[Came]) -> dict[str, Came]:
    """What came for each scenario, together with the text that the emulator sent."""
    came = list(came)
    sent = {each.scenario: each.text_sent for each in session.journal.wait(len(NAMES), timeout=30)}
    return {each["scenario"]: each | {"sent": sent[each["scenario"]]} for each in came}


@pytest.fixture(scope="module")
def by_boto3(emulator: Emulator) -> dict[str, Came]:
    """What each scenario brings to boto3."""
    session = opened(emulator, "boto3")
    came = (
        script.stream_all(session.client(**script.config(read_timeout)), names)
        for read_timeout, names in groups()
    )
    return with_sent(session, chain.from_iterable(came))


@pytest.fixture(scope="module")
def by_aiobotocore(emulator: Emulator) -> dict[str, Came]:
    session = opened(emulator, "aiobotocore")

    async def stream(client: Any, name: str) -> Came:
        came: Came = script.nothing(name)
        response = None
        try:
            response = await client.converse_stream(**script.request(name))
            async for event in response["stream"]:
                script.note(event, came)
        except Exception as error:
            came["error"] = script.told(error)
        finally:
            if response:
                response["stream"].close()
        return came

    async def stream_all(read_timeout: float, names: Iterable[str]) -> list[Came]:
        async with get_session().create_client(
            "bedrock-runtime",
            endpoint_url=session.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="default",
            aws_secret_access_key="dummy",
            config=AioConfig(signature_version="v4", proxies={}, **script.config(read_timeout)),
        ) as client:
            return await asyncio.gather(*(stream(client, name) for name in names))

    came = (asyncio.run(stream_all(read_timeout, names)) for read_timeout, names in groups())
    return with_sent(session, chain.from_iterable(came))


def code_of(reply: Reply) -> str | None:
    """The code that botocore finds in the error of a reply; None: there is none."""
    for step in reply:
        match step:
            case Refuse(name):
                return REFUSALS[name].code
            case Throw(name, kind="exception"):
                return name if name in stream_exceptions() else ""
            case Throw(name):
                return name
            case Corrupt() | Bytes() | Finish() | Hangup() | Reset():
                return None
    return None


def check(came: Came, expected: Raises | None) -> None:
    """The exception is the expected one, with the code of the service if it has one."""
    error = came["error"]
    if expected is None:
        assert error is None
    else:
        assert error is not None
        assert expected.kind in error["kinds"]
        assert re.search(expected.text, error["text"], re.DOTALL)
        assert error["code"] == code_of(first_reply(came["scenario"]))


# -------------------------------------------------------------------------------------------- tests


@pytest.mark.xdist_group("boto3")
@pytest.mark.parametrize("name", NAMES)
def test_boto3(by_boto3: dict[str, Came], name: str) -> None:
    came = by_boto3[name]
    check(came, EXPECTED[ending_of(name)].botocore)
    assert came["text"] == came["sent"]
    if ending_of(name) == "complete":
        assert came["events"][0] == "messageStart"


@pytest.mark.xdist_group("aiobotocore")
@pytest.mark.parametrize("name", NAMES)
def test_aiobotocore(by_aiobotocore: dict[str, Came], name: str) -> None:
    came = by_aiobotocore[name]
    check(came, EXPECTED[ending_of(name)].aiobotocore)
    assert came["sent"].startswith(came["text"])  # at a break aiohttp drops what it has read and not given
    assert came["text"] == came["sent"] or EXPECTED[ending_of(name)].aiobotocore


@pytest.mark.parametrize("client", BOTO3, ids=lambda client: client.version)
def test_botocore_from_the_oldest_to_the_newest(emulator: Emulator, client: Client) -> None:
    if not is_built(client):
        pytest.skip(f"no environment; `python -m conformance.runner --build {client.id}` makes it")
    session = opened(emulator, client.version)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    lines = []
    for read_timeout, names in groups():
        lines += subprocess.run(
            [python_of(client), SCRIPT, session.endpoint_url, str(read_timeout), *names],
            check=True,
            capture_output=True,
            text=True,
            env=environment | {"NO_PROXY": "127.0.0.1"},
        ).stdout.splitlines()
    wrong = {}
    for name, came in with_sent(session, map(json.loads, lines)).items():
        try:
            check(came, EXPECTED[ending_of(name)].botocore)
            assert came["text"] == came["sent"]
        except AssertionError:
            wrong[name] = came
    assert wrong == {}
    assert len(lines) == len(NAMES)
    assert f"Botocore/{client.version}" in session.journal.last.user_agent
