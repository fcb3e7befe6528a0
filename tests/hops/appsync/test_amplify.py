"""AWS's own client of Event APIs, aws-amplify on Node, unmodified."""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from converse_hops.appsync.channels import Allow, only

from tests.hops.real_peers import folder_of_peer

Serve = Callable[..., Any]
SCRIPT = Path(__file__).with_name("amplify.mjs")
ALL = [
    {"what": "connected"},
    {"what": "ready"},
    {"what": "got", "more": {"first": "Grüße 🌍"}},
    {"what": "got", "more": "second"},
    {"what": "got", "more": {"third": [1, 2]}},
    {"what": "six were refused"},
]


@pytest.fixture(scope="module")
def folder() -> Path:
    found = folder_of_peer("aws-amplify")
    shutil.copy(SCRIPT, found)  # Node looks for packages beside the script
    return found


@pytest.fixture
def amplify(folder: Path) -> Callable[..., list[Any]]:
    """What the client tells: `amplify(api, mode, secret, channel)`."""

    def run(api: Any, *arguments: str) -> list[Any]:
        command = ["node", str(folder / SCRIPT.name), f"{api.url}/event", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        return [json.loads(line) for line in done.stdout.splitlines()] or [done.stderr]

    return run


@pytest.mark.parametrize("event_as", ["array", "string"])
def test_connect_subscribe_post_and_publish(serve: Serve, amplify: Callable[..., Any], event_as: str) -> None:
    api = serve(event_as=event_as, api_keys=["da2-mine"])
    assert amplify(api, "apiKey", "da2-mine", "/default/chat") == ALL


def test_every_message_is_signed(serve: Serve, amplify: Callable[..., Any]) -> None:
    api = serve(access_keys={"AKIAEXAMPLE": "secret"}, api_keys=[])
    assert amplify(api, "iam", "AKIAEXAMPLE:secret", "/default/chat") == ALL
    (failed,) = amplify(api, "iam", "AKIAEXAMPLE:wrong", "/default/chat")
    assert failed["what"] == "failed"


def test_a_wrong_key_is_not_tried_again(serve: Serve, amplify: Callable[..., Any]) -> None:
    api = serve()
    assert amplify(api, "apiKey", "wrong", "/default/chat") == [
        {"what": "failed", "more": "UnauthorizedException"}
    ]
    assert len(api.journal) == 1


def authorize(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"isAuthorized": True, "handlerContext": {"user": event["authorizationToken"]}}


def test_another_users_channel(serve: Serve, amplify: Callable[..., Any]) -> None:
    rules = [
        Allow("connect"),
        Allow("subscribe", "/chat/{user}/*"),
        Allow("publish", "/chat/{user}/*"),
    ]
    api = serve(namespaces=["chat"], authorizer=authorize, may=only(rules))
    assert amplify(api, "lambda", "alice", "/chat/alice/1") == ALL
    heard = amplify(api, "lambda", "alice", "/chat/bob/1")
    denied = "Connection failed: Unauthorized: You are not authorized to make this call."
    assert heard[:2] == [{"what": "connected"}, {"what": "error", "more": denied}]
