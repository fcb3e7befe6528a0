"""The hop as a process, with its integration behind a URL; and what it says of options that do not fit."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from converse_hops.http.server import Incoming
from converse_hops.websocket.api import WebSocketApi
from websockets.sync.client import connect

from tests.hops.peers import Origin
from tests.hops.websocket.conftest import WAIT, Recorder, browser

COMMAND = [sys.executable, "-m", "converse_emulator", "hop", "websocket-api"]


def function(events: list[Any]) -> Origin:
    """A function behind a URL, which fails for the message `fail`."""

    async def answer(incoming: Incoming) -> None:
        assert (incoming.method, incoming.target) == ("POST", "/events")
        event = json.loads(await incoming.body())
        events.append(event)
        if event.get("body") == "fail":
            await incoming.answer(
                200, [("X-Amz-Function-Error", "Unhandled")], b'{"errorMessage":"a secret"}'
            )
        elif event.get("body") == "nothing":
            await incoming.answer(200, [])
        else:
            await incoming.answer(200, [], json.dumps({"statusCode": 200, "body": "pong"}).encode())

    return Origin(answer)


def test_the_command_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    events: list[Any] = []
    journal = tmp_path / "journal"
    with function(events) as origin:
        options = ["--integration", f"{origin.url}/events", "--stage", "dev", "--route-response"]
        with subprocess.Popen(
            [*COMMAND, *options, "--journal", str(journal)], stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                ready, url = process.stdout.readline().split()
                assert ready == "ready"
                with connect(f"ws{url[4:]}/dev", proxy=None, open_timeout=WAIT) as client:
                    client.send("nothing")
                    client.send("ping")
                    assert client.recv(timeout=WAIT) == "pong"
                    client.send("fail")
                    assert json.loads(client.recv(timeout=WAIT))["message"] == "Internal server error"
            finally:
                process.send_signal(signal.SIGTERM)
        assert process.returncode == 0
    kinds = [event["requestContext"]["eventType"] for event in events]
    assert kinds[:1] + sorted(kinds[1:4]) == ["CONNECT", "MESSAGE", "MESSAGE", "MESSAGE"]
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert {"received", "passed", "failed"} <= {line["what"] for line in lines}


def test_an_integration_that_is_not_there_refuses_the_handshake(recorder: Recorder) -> None:
    with (
        WebSocketApi("http://127.0.0.1:9/events") as api,
        pytest.raises(Exception, match="server rejected WebSocket connection: HTTP 502"),
    ):
        browser(api)
    assert recorder.events.empty()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--integration"),
        (["--integration", "http://h", "--selection", "x"], "'x' is no route selection expression"),
        (["--integration", "http://h", "--post-latency", "2..1"], "is no span of seconds; it looks like"),
        (["--integration", "http://h", "--credentials", "/nowhere.yaml"], "/nowhere.yaml"),
    ],
)
def test_what_does_not_fit_is_told(options: list[str], said: str) -> None:
    done = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert said in done.stderr
