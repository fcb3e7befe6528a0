"""What stands behind a WebSocket API: a Lambda function, run by AWS's own runtime for Python."""

import sys
from pathlib import Path

import pytest
from converse_hops.functions.function import Function
from converse_hops.websocket.api import WebSocketApi

from tests.hops.websocket.conftest import WAIT, browser

CODE = """
def handler(event, context):
    context_of_it = event["requestContext"]
    if event.get("body") == "fail":
        raise ValueError("a secret")
    return {"statusCode": 200, "body": f"{context_of_it['routeKey']} {event.get('body')}"}
"""


def test_a_lambda_function_gets_the_events_and_runs_with_the_api(tmp_path: Path) -> None:
    pytest.importorskip("awslambdaric", reason="the runtime for Python is not installed")
    (tmp_path / "app.py").write_text(CODE)
    function = Function([sys.executable, "-m", "awslambdaric", "app.handler"], cwd=tmp_path)
    with WebSocketApi(function, route_response=True) as api:
        assert function.running
        with browser(api, open_timeout=60) as client:
            client.send("hello")
            assert client.recv(timeout=WAIT) == "$default hello"
            client.send("fail")
            assert "Internal server error" in str(client.recv(timeout=WAIT))
    assert not function.running
