"""A script that does not do what it should is told apart from a client that sees an error."""

import sys
from collections.abc import Iterator

import pytest
from converse_emulator import Emulator

from conformance import talk as module
from conformance.clients import Client
from conformance.talk import STILL_AT_IT, Broken, talk

CLIENT = Client("fake", "python", ("fake==1",), "fake.py", "ConverseStream", "HTTP/2")
LINE = '{"text": "Hi", "tools": [], "stop": null, "usage": null, "error_class": null, "error_text": null}'
ASK = f"""
import sys, urllib.request
body = b'{{"messages": [{{"role": "user", "content": [{{"text": "Hi"}}]}}]}}'
url = sys.argv[1] + "/model/amazon.nova-lite-v1%3A0/converse-stream"
urllib.request.urlopen(urllib.request.Request(url, body, {{"Content-Type": "application/json"}})).read()
print('{LINE}')
"""


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Patches to run code instead of a client's script."""
    with monkeypatch.context() as patches:
        yield patches


def with_script(patches: pytest.MonkeyPatch, code: str) -> None:
    patches.setattr(module, "command_of", lambda _: [sys.executable, "-c", code])


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import sys; sys.exit('no such package')", "it told nothing:.*no such package"),
        ("print('Hello')", "it told nothing:.*Hello"),
        (f"print('{LINE}')", "it made no request that is served; it saw None: None"),
        (ASK, r"it called {'ConverseStream'} over {'HTTP/1.1'}, not ConverseStream over HTTP/2"),
    ],
)
def test_a_script_that_does_not_work_is_broken(
    emulator: Emulator, run: pytest.MonkeyPatch, code: str, why: str
) -> None:
    with_script(run, code)
    with pytest.raises(Broken, match=f"(?s){why}"):
        talk(emulator, CLIENT, "text")


def test_a_client_that_goes_on_and_on_is_ended(emulator: Emulator, run: pytest.MonkeyPatch) -> None:
    with_script(run, "import time; time.sleep(60)")
    run.setattr(module, "PATIENCE", 0.5)
    assert talk(emulator, CLIENT, "text") is STILL_AT_IT
