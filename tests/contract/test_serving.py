"""Servers as processes: found by their first line, ended in every case."""

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest
from converse_contract import Limits
from converse_contract.serving import DidNotStart, environment, serving

READY = """
import os, sys, time
print("a line of somebody else's", file=sys.stderr, flush=True)
print(f"ready http://127.0.0.1:9/{os.getpid()}", flush=True)
time.sleep(60)
"""


def module(folder: Path, code: str) -> dict[str, str]:
    """The environment in which `python -m someserver` runs this code."""
    (folder / "someserver.py").write_text(code)
    return {**os.environ, "PYTHONPATH": str(folder)}


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_the_url_is_what_the_ready_line_says(tmp_path: Path) -> None:
    with serving("someserver", env=module(tmp_path, READY)) as url:
        assert url.startswith("http://127.0.0.1:9/")
        pid = int(url.rpartition("/")[2])
        assert not gone(pid)
    assert gone(pid)


def test_it_is_ended_when_something_goes_wrong(tmp_path: Path) -> None:
    pid = 0
    with suppress(RuntimeError), serving("someserver", env=module(tmp_path, READY)) as url:
        pid = int(url.rpartition("/")[2])
        raise RuntimeError
    assert pid
    assert gone(pid)


def test_a_process_that_ends_at_once_tells_its_last_words(tmp_path: Path) -> None:
    env = module(tmp_path, "raise SystemExit('the port is taken')")
    said = "python -m someserver did not get ready: the port is taken"
    with pytest.raises(DidNotStart, match=said), serving("someserver", env=env):
        pytest.fail("it did not start")


def test_a_lot_of_output_does_not_stop_a_server(tmp_path: Path) -> None:
    code = READY.replace(
        "time.sleep(60)", "print('x' * 1_000_000, flush=True); open(sys.argv[1], 'w').close(); time.sleep(60)"
    )
    done = tmp_path / "done"
    with serving("someserver", str(done), env=module(tmp_path, code)):
        deadline = time.monotonic() + 20
        while not done.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert done.exists()


def test_an_environment_keeps_the_real_aws_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "secret")
    monkeypatch.setenv("AWS_PROFILE", "production")
    env = environment("http://127.0.0.1:8080", Limits(first_byte=1.5))
    assert not {"AWS_BEARER_TOKEN_BEDROCK", "AWS_PROFILE"} & env.keys()
    assert env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] == "http://127.0.0.1:8080"
    assert env["CHAT_FIRST_BYTE_TIMEOUT"] == "1.5"
    assert env["CHAT_TOTAL_TIMEOUT"] == "900.0"
    assert env["PATH"] == os.environ["PATH"]
