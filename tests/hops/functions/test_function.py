"""A function's sandboxes: started when needed, replaced when they died, killed when their time is up."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from converse_hops import Function

Scripted = Callable[..., Function]
Client = Callable[[Function], Any]


def invoke(client: Any, **script: object) -> Any:
    response = client.invoke(FunctionName="function", Payload=json.dumps(script))
    return json.loads(response["Payload"].read())


def test_one_that_died_is_told_and_replaced(scripted: Scripted, client: Client) -> None:
    lambda_ = client(scripted())
    told = invoke(lambda_, exit=3)
    assert told["errorType"] == "Runtime.ExitError"
    assert told["errorMessage"].endswith(" Error: Runtime exited with error: exit status 3")
    assert invoke(lambda_, exit=0)["errorMessage"].endswith(
        " Error: Runtime exited without providing a reason"
    )
    assert invoke(lambda_, **{"return": 1}) == 1


def test_one_that_dies_in_the_stream_ends_it(scripted: Scripted, client: Client) -> None:
    function = scripted()
    script = json.dumps({"chunks": ["half"], "every": 0.1, "then": "die"})
    response = client(function).invoke_with_response_stream(FunctionName="function", Payload=script)
    assert list(response["EventStream"]) == [{"PayloadChunk": {"Payload": b"half"}}, {"InvokeComplete": {}}]
    assert function.journal.last.of("failed")[0].detail == "Runtime.TruncatedResponse"


def test_one_that_cannot_start_is_told(client: Client) -> None:
    with Function(["/nowhere/at/all"]) as function:
        told = invoke(client(function))
    assert told["errorType"] == "Runtime.InvalidEntrypoint"
    assert "No such file or directory" in told["errorMessage"]


def test_one_that_cannot_be_initialised_is_told(scripted: Scripted, client: Client) -> None:
    told = invoke(client(scripted("init")))
    assert told == {"errorType": "Runtime.ImportModuleError", "errorMessage": "No module named app"}


def test_one_whose_time_is_up_is_killed(scripted: Scripted, client: Client) -> None:
    function = scripted(timeout=5, speed=10)
    lambda_ = client(function)
    began = time.monotonic()
    stalled = json.dumps({"chunks": ["half"], "then": "stall"})
    response = lambda_.invoke_with_response_stream(FunctionName="function", Payload=stalled)
    assert list(response["EventStream"]) == [{"PayloadChunk": {"Payload": b"half"}}, {"InvokeComplete": {}}]
    assert time.monotonic() - began >= 0.5
    assert function.journal.last.of("cut")[0].detail == "function timeout of 5 s"
    assert invoke(lambda_, **{"return": 1}) == 1


def test_those_that_are_needed_at_once_run_at_once_up_to_a_limit(
    scripted: Scripted, client: Client, tmp_path: Path
) -> None:
    function = scripted(concurrency=2)
    lambda_ = client(function)
    seen = tmp_path / "seen"
    script = {"chunks": ["x"], "until": str(seen)}

    def stream(_: int) -> bytes:
        response = lambda_.invoke(FunctionName="function", Payload=json.dumps(script))
        return bytes(response["Payload"].read())

    with ThreadPoolExecutor(2) as threads:
        running = threads.map(stream, range(2))
        function.journal.wait(lambda journal: sum(each.total("received") for each in journal) == 2)
        with pytest.raises(lambda_.exceptions.TooManyRequestsException, match=r"Rate Exceeded\."):
            lambda_.invoke(FunctionName="function")
        seen.touch()
        assert list(running) == [b"x", b"x"]
    assert invoke(lambda_, **{"return": 1}) == 1


def test_its_environment_is_the_services_and_its_own(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    program = (
        "import http.client, json, os\n"
        "api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])\n"
        "api.request('GET', '/2018-06-01/runtime/invocation/next')\n"
        "response = api.getresponse(); response.read()\n"
        "invocation = response.getheader('lambda-runtime-aws-request-id')\n"
        "path = f'/2018-06-01/runtime/invocation/{invocation}/response'\n"
        "api.request('POST', path, json.dumps({**os.environ, 'cwd': os.getcwd()}))\n"
        "api.getresponse().read()\n"
    )
    command = [sys.executable, "-c", program]
    with Function(command, name="chat", env={"MINE": "yes"}, cwd=tmp_path) as function:
        response = client(function).invoke(FunctionName="chat")
        environment = json.loads(response["Payload"].read())
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "chat"
    assert environment["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert environment["MINE"] == "yes"
    assert environment["cwd"] == environment["LAMBDA_TASK_ROOT"] == str(tmp_path)
    assert environment["PATH"] == os.environ["PATH"]


def test_what_the_program_started_goes_with_it(client: Client, tmp_path: Path) -> None:
    """Its own children too: they would keep ports and pipes."""
    pid_file = tmp_path / "pid"
    script = f"sleep 300 & echo $! > {pid_file}; wait"
    with Function(["sh", "-c", script], timeout=900) as function, ThreadPoolExecutor(1) as threads:
        lambda_ = client(function)
        running = threads.submit(lambda: lambda_.invoke(FunctionName="function"))
        while not (pid_file.exists() and pid_file.read_text().strip()):
            time.sleep(0.02)
        function.stop()
        assert running.exception() is not None
    pid = int(pid_file.read_text())
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    assert state.stdout.strip().startswith("Z") or not state.stdout


@pytest.mark.parametrize("timeout", [0, -1, 901])
def test_a_timeout_is_at_most_15_minutes(timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout is more than 0 and at most 900 s"):
        Function(timeout=timeout)
