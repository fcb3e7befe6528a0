"""An outage is in the journal, so that nobody takes what it did for a mistake of somebody's."""

import json
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import BotoCoreError
from converse_emulator import Emulator
from converse_emulator.cli import main
from converse_emulator.language.loader import load_text
from converse_emulator.outage import How
from converse_emulator.playing.acts import Hangup, payload
from converse_emulator.rehearsal import Run, rehearse
from urllib3.exceptions import HTTPError

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
LONG = 60.0  # seconds
REQUEST = b"GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


def address(emulator: Emulator) -> tuple[str, int]:
    url = urlsplit(emulator.endpoint_url)
    return url.hostname or "", url.port or 0


def come(emulator: Emulator) -> str:
    """Connect and ask; the address that the client had."""
    with socket.socket() as connection:
        connection.settimeout(0.5)
        connection.bind(("127.0.0.1", 0))
        host, port = connection.getsockname()
        with suppress(ConnectionResetError, BrokenPipeError, TimeoutError):
            connection.connect(address(emulator))
            connection.sendall(REQUEST)
            connection.recv(100)
        return f"{host}:{port}"


def streaming(emulator: Emulator) -> Any:
    """A stream of which the first delta has come, and that would go on for ever."""
    emulator.play([{"text": "Hello", "split": "whole"}, {"wait": "forever"}])
    client = emulator.client(retries={"total_max_attempts": 1})
    messages = [{"role": "user", "content": [{"text": "Hi"}]}]
    stream = iter(client.converse_stream(modelId=MODEL, messages=messages)["stream"])
    while "contentBlockDelta" not in next(stream):
        pass
    return stream


@pytest.mark.parametrize("how", ["silent", "window", "close", "reset"])
def test_who_came_meanwhile_is_told(emulator: Emulator, how: How) -> None:
    emulator.outage(how, LONG)
    peers = [come(emulator) for _ in range(2)]
    deadline = time.monotonic() + 20
    while emulator.journal.outages[0].met != 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    (outage,) = emulator.journal.outages
    assert (outage.how, outage.met, outage.ended_at) == (how, 2, None)
    assert [(each.peer, each.what) for each in outage.connections] == [(peer, how) for peer in peers]


def test_whom_nobody_listens_to_nobody_knows(emulator: Emulator) -> None:
    emulator.outage("refuse", LONG)
    with pytest.raises(ConnectionRefusedError):
        come(emulator)
    (outage,) = emulator.journal.outages
    assert (outage.how, outage.met, outage.connections) == ("refuse", None, ())


def test_who_waits_for_the_word_is_told_and_nobody_else(emulator: Emulator) -> None:
    emulator.outage("100-continue", LONG)
    come(emulator)
    with socket.create_connection(address(emulator), timeout=10) as connection:
        connection.sendall(
            f"POST /model/{MODEL}/converse HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
            "Expect: 100-continue\r\n\r\n{}".encode()
        )
        assert connection.recv(12) == b"HTTP/1.1 200"
        host, port = connection.getsockname()
    (outage,) = emulator.journal.outages
    told = [(each.peer, each.what) for each in outage.connections]
    assert (outage.met, told) == (1, [(f"{host}:{port}", "100-continue")])


def test_it_ends_in_the_journal_when_it_ends(emulator: Emulator) -> None:
    emulator.outage("silent", 0.2)
    deadline = time.monotonic() + 20
    while emulator.journal.outages[0].ended_at is None and time.monotonic() < deadline:
        time.sleep(0.02)
    (outage,) = emulator.journal.outages
    assert outage.ended_at is not None
    assert outage.ended_at - outage.started_at >= 0.19


def test_one_that_is_on_when_the_emulator_stops_is_over() -> None:
    with Emulator() as emulator:
        emulator.outage("close", LONG)
    assert emulator.journal.outages[0].ended_at is not None


def test_an_exchange_that_it_cut_was_not_left_by_its_client(emulator: Emulator) -> None:
    stream = streaming(emulator)
    emulator.outage("reset", LONG)
    with pytest.raises((BotoCoreError, HTTPError)):
        next(stream)
    assert emulator.journal.wait()[0].ended == "outage"
    (outage,) = emulator.journal.outages
    assert (outage.cut, [each.what for each in outage.connections]) == (1, ["cut"])


def test_the_control_route_has_them_whatever_the_session(emulator: Emulator) -> None:
    with urllib.request.urlopen(
        f"{emulator.endpoint_url}/_emulator/outage", json.dumps({"how": "close", "seconds": 0.1}).encode()
    ):
        pass
    deadline = time.monotonic() + 20
    while not emulator.journal.outages[-1:] or emulator.journal.outages[-1].ended_at is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with urllib.request.urlopen(f"{emulator.endpoint_url}/_emulator/journal?session=other") as response:
        told = json.load(response)
    assert [(each["how"], each["seconds"]) for each in told["outages"]] == [("close", 0.1)]
    emulator.reset()
    assert emulator.journal.outages == []


def test_a_run_with_one_replays_and_says_so(
    emulator: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = streaming(emulator)
    time.sleep(0.1)
    emulator.outage("close", 0.1)
    with pytest.raises((BotoCoreError, HTTPError)):
        next(stream)
    deadline = time.monotonic() + 20
    while emulator.journal.outages[-1].ended_at is None and time.monotonic() < deadline:
        time.sleep(0.02)
    kept = tmp_path / "journal.json"
    assert main(["journal", emulator.endpoint_url]) == 0
    assert "outage close, " in capsys.readouterr().out
    assert main(["journal", emulator.endpoint_url, "--json"]) == 0
    kept.write_text(capsys.readouterr().out)
    assert main(["replay", str(kept)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# While this ran there was an outage, which no reply begins: close, ")
    again = load_text(text, name="again", source="again.yaml")
    (played,) = rehearse(again, Run("other", operation="ConverseStream"), 1)
    last = played.timeline.beats[-1]
    assert last.act == Hangup(connection=True)
    assert last.at >= 0.1
    assert b"Hello" in b"".join(payload(beat.act) for beat in played.timeline.beats)
