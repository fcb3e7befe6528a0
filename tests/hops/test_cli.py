"""`converse-emulator hop`: what it prints, how it ends, what it writes down."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from converse_emulator.cli import main
from converse_hops.registry import KINDS, Kind

SCRIPTED = Path(__file__).parent / "functions" / "scripted_runtime.py"


@contextmanager
def process(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A running hop and its URL."""
    command = [sys.executable, "-m", "converse_emulator", "hop", *arguments]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert running.stdout
        word, url = running.stdout.readline().split()
        assert word == "ready"
        yield running, url
    finally:
        running.kill()
        running.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_function_is_a_process_that_ends_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    command = f"{sys.executable} {SCRIPTED}"
    with process("function", "--command", command, "--journal", str(journal)) as (running, url):
        assert url.startswith("http://127.0.0.1:")
        response = httpx.post(f"{url}/2015-03-31/functions/function/invocations", json={"return": 7})
        assert response.json() == 7
        while journal.read_text().count("\n") < 5:
            time.sleep(0.01)
        running.send_signal(number)
        out, log = running.communicate(timeout=30)
        assert (out, running.returncode) == ("", 0)
    assert "performing ['return']" in log
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [(line["direction"], line["what"], line["size"]) for line in lines] == [
        ("up", "received", 12),
        ("up", "passed", 12),
        ("down", "received", 1),
        ("down", "passed", 1),
        ("down", "ended", 0),
    ]
    assert {line["passage"] for line in lines} == {1}


def test_a_front_and_its_function_are_one_process_and_one_journal(tmp_path: Path) -> None:
    """Where a stream is held can be read from it: what each had and passed on when."""
    journal = tmp_path / "journal"
    options = ["--mode", "RESPONSE_STREAM", "--command", f"{sys.executable} {SCRIPTED}", "--speed", "2"]
    with process("function-url", *options, "--journal", str(journal)) as (running, url):
        response = httpx.post(url, json={"metadata": {}, "chunks": ["a", "b"], "every": 0.05}, timeout=30)
        assert response.text == "ab"
        while journal.read_text().count('"ended"') < 2:
            time.sleep(0.01)
        running.terminate()
        assert running.wait(timeout=30) == 0
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert {line["hop"] for line in lines} == {"FunctionUrl", "Function"}
    down = [line for line in lines if line["direction"] == "down" and line["size"]]
    for hop, payload in (("Function", 12), ("FunctionUrl", 2)):  # the prelude is the function's
        sizes = dict.fromkeys(("received", "passed"), 0)
        for line in down:
            if line["hop"] == hop:
                sizes[line["what"]] += line["size"]
        assert sizes == {"received": payload, "passed": payload}
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)


def test_a_front_has_one_function(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["hop", "rest-api", "--function", "http://127.0.0.1:1", "--command", "true"]
    assert main(arguments) == 2
    assert "--function and --command are one or the other" in capsys.readouterr().err


def test_help_lists_all_hops(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["hop", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for kind in KINDS:
        assert f"{kind.name} {kind.about}" in shown


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_hop_has_its_options(kind: Kind, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["hop", kind.name, "--help"])
    shown = capsys.readouterr().out
    for option in ("--host", "--port", "--speed", "--journal") if kind.load().listens else ("--journal",):
        assert option in shown


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["function", "--speed", "0"], ["function", "--nonsense"]]
)
def test_wrong_usage_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["hop", *arguments])
    assert capsys.readouterr().err.startswith("usage: converse-emulator hop")


def test_what_does_not_go_together_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hop", "function", "--timeout", "901"]) == 2
    assert main(["hop", "function", "--host", "0.0.0.0"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "converse-emulator hop function: timeout is more than 0 and at most 900 s, not 901"
    assert "use --allow-remote" in told[1]
