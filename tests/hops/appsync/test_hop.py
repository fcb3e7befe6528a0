"""An Event API over real sockets: HTTP and the realtime WebSocket on one port."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from converse_hops.appsync.channels import Allow, only
from converse_hops.appsync.limits import Limits
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

Serve = Callable[..., Any]
Join = Callable[..., Any]
Post = Callable[..., Any]
MINE = {"x-api-key": "da2-mine"}
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
DENIED = {"errorType": "UnauthorizedException", "message": "You are not authorized to make this call."}


def test_publish_and_subscribe(serve: Serve, join: Join, post: Post) -> None:
    api = serve()
    client = join(api)
    assert client.connection.subprotocol == "aws-appsync-event-ws"
    assert client.ask(type="connection_init") == {"type": "connection_ack", "connectionTimeoutMs": 300000}
    assert client.subscribe("one", "/default/a") == {"id": "one", "type": "subscribe_success"}
    assert client.subscribe("all", "default/*") == {"id": "all", "type": "subscribe_success"}
    response = post(api, "default/a", '{"n": 1}', '"two"')
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert answer["failed"] == []
    assert [each["index"] for each in answer["successful"]] == [0, 1]
    assert all(re.fullmatch(UUID, each["identifier"]) for each in answer["successful"])
    post(api, "/default/b", "3")
    heard = [client.hear() for _ in range(5)]
    assert [each["event"] for each in heard if each["id"] == "one"] == [['{"n": 1}'], ['"two"']]
    assert [each["event"] for each in heard if each["id"] == "all"] == [['{"n": 1}'], ['"two"'], ["3"]]
    assert client.ask(type="unsubscribe", id="all") == {"id": "all", "type": "unsubscribe_success"}
    post(api, "/default/b", "4")
    post(api, "/default/a", "5")
    assert client.hear() == {"type": "data", "id": "one", "event": ["5"]}


def test_what_was_published_before_is_lost(serve: Serve, join: Join, post: Post) -> None:
    api = serve()
    client = join(api)  # `connection_init` may be left out
    assert post(api, "/default/a", "1").status_code == 200
    client.subscribe("x", "/default/a")
    post(api, "/default/a", "2")
    assert client.hear()["event"] == ["2"]
    told = [record.detail for passage in api.journal for record in passage.of("passed", "up")]
    assert told == [
        "1 events in /default/a for 0 subscriptions",
        "1 events in /default/a for 1 subscriptions",
    ]


def test_publish_over_the_websocket(serve: Serve, join: Join) -> None:
    api = serve(event_as="string")
    listener, speaker = join(api), join(api)
    listener.subscribe("x", "/default/a")
    answer = speaker.publish("p", "/default/a", "1", '{"b": 2}')
    assert (answer["type"], answer["id"], answer["failed"]) == ("publish_success", "p", [])
    assert [each["index"] for each in answer["successful"]] == [0, 1]
    assert [listener.hear()["event"] for _ in range(2)] == ["1", '{"b": 2}']
    six = speaker.publish("q", "/default/a", *"123456")
    assert (six["type"], six["id"]) == ("publish_error", "q")
    assert six["errors"][0]["message"] == "events must be a list of 1 to 5"


@pytest.mark.parametrize(
    ("channel", "events", "status", "message"),
    [
        ("/default/a", ["1"] * 6, 400, "events must be a list of 1 to 5"),
        ("/default/a", [], 400, "events must be a list of 1 to 5"),
        ("/default/a", ["{"], 400, "events[0] must be a string that holds JSON"),
        ("/default/*", ["1"], 400, "a channel is 1 to 5 segments"),
        ("/other/a", ["1"], 404, "there is no channel namespace other"),
        ("/default/a", ["1" * 2000], 413, "a publish has at most 1000 bytes"),
    ],
)
def test_what_cannot_be_published(
    serve: Serve, post: Post, channel: str, events: list[str], status: int, message: str
) -> None:
    response = post(serve(limits=Limits(publish_bytes=1000)), channel, *events)
    assert response.status_code == status
    assert response.json()["errors"][0]["message"].startswith(message)


def test_what_is_no_publish(serve: Serve) -> None:
    api = serve()
    with httpx.Client(trust_env=False, base_url=api.url, headers={"x-api-key": "da2-local"}) as client:
        assert client.get("/event").status_code == 404
        assert client.post("/graphql", json={}).status_code == 404
        assert client.post("/event", content=b"[]").status_code == 400
        assert client.post("/event", content=b"{").json()["errors"][0]["errorType"] == "BadRequestException"


def test_pages_of_other_origins_may_publish(serve: Serve) -> None:
    asked = {"origin": "http://localhost:3000", "access-control-request-headers": "content-type,x-api-key"}
    with httpx.Client(trust_env=False) as client:
        response = client.options(f"{serve().url}/event", headers=asked)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["access-control-allow-methods"] == "POST"
    assert response.headers["access-control-allow-headers"] == "content-type,x-api-key"


def test_who_is_unknown_learns_nothing_else(serve: Serve, join: Join, post: Post) -> None:
    api = serve()
    for channel in ("/default/a", "/other/a", "no channel"):
        response = post(api, channel, "1", **{"x-api-key": "wrong"})
        assert (response.status_code, response.json()) == (401, {"errors": [DENIED]})
        refused = join(api).subscribe("x", channel, {"x-api-key": "wrong"})
        assert refused == {"type": "subscribe_error", "id": "x", "errors": [DENIED]}


def test_an_unauthorized_handshake(serve: Serve, join: Join) -> None:
    client = join(serve(), {"x-api-key": "wrong"})
    assert client.ask(type="connection_init") == {"type": "connection_error", "errors": [DENIED]}
    with pytest.raises(ConnectionClosed):
        client.hear()
    with pytest.raises(InvalidStatus) as error:
        join(serve(refusal="http"), {"x-api-key": "wrong"})
    assert error.value.response.status_code == 401
    assert json.loads(error.value.response.body or b"") == {"errors": [DENIED]}


def test_a_handshake_that_is_none(serve: Serve) -> None:
    api = serve()
    for url, status in ((api.realtime_url, 400), (f"{api.realtime_url}/x", 404)):
        with pytest.raises(InvalidStatus) as error, connect(url, proxy=None):
            pass
        assert error.value.response.status_code == status


def authorize(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"isAuthorized": True, "handlerContext": {"user": event["authorizationToken"]}}


def test_another_users_channel_is_refused(serve: Serve, join: Join, post: Post) -> None:
    rules = [
        Allow("connect"),
        Allow("subscribe", "/chat/{user}/*", modes=("AWS_LAMBDA",)),
        Allow("publish", "/chat/*", modes=("API_KEY",)),
    ]
    api = serve(namespaces=["chat"], authorizer=authorize, may=only(rules))
    alice = {"Authorization": "alice"}
    client = join(api, alice)
    assert client.subscribe("mine", "/chat/alice/1", alice)["type"] == "subscribe_success"
    for channel in ("/chat/bob/1", "/chat/bob/*", "/chat/*"):
        refused = client.subscribe("x", channel, alice)
        assert (refused["type"], refused["errors"][0]["errorType"]) == ("subscribe_error", "Unauthorized")
    assert post(api, "/chat/bob/1", "1", **alice).status_code == 401
    assert post(api, "/chat/bob/1", "1").status_code == 200
    assert post(api, "/chat/alice/1", "2").status_code == 200
    assert client.hear() == {"type": "data", "id": "mine", "event": ["2"]}


def test_ids_and_messages_that_are_wrong(serve: Serve, join: Join) -> None:
    api = serve()
    client = join(api)
    client.subscribe("x", "/default/a")
    assert client.subscribe("x", "/default/b")["errors"][0]["errorType"] == "DuplicatedOperationError"
    assert client.ask(type="unsubscribe", id="y") == {
        "type": "unsubscribe_error",
        "id": "y",
        "errors": [{"errorType": "UnknownOperationError", "message": "Unknown operation id y"}],
    }
    assert client.subscribe("z", "/other/a")["errors"] == [
        {
            "errorType": "SubscriptionProcessingError",
            "message": "There was an error processing the operation",
        }
    ]
    assert "there is no channel namespace other" in str(api.journal.last)
    assert client.ask(type="start", id="a")["errors"][0]["message"] == (
        "start not supported through the realtime channel"
    )
    client.connection.send(b"\xff\x00")
    assert client.hear()["type"] == "error"
    assert client.subscribe("still", "/default/a")["type"] == "subscribe_success"


def test_an_event_that_is_too_large_is_told_to_who_listens(serve: Serve, join: Join, post: Post) -> None:
    api = serve(limits=Limits(event_bytes=100))
    client = join(api)
    client.subscribe("x", "/default/a")
    assert post(api, "/default/a", json.dumps("x" * 99), '"ok"').status_code == 200
    assert client.hear() == {
        "type": "broadcast_error",
        "id": "x",
        "errors": [
            {
                "errorType": "MessageProcessingError",
                "message": "There was an error processing the message",
            }
        ],
    }
    assert client.hear()["event"] == ['"ok"']


def test_rates(serve: Serve, join: Join, post: Post) -> None:
    api = serve(limits=Limits(publishes_per_second=3, events_per_second=6), speed=0.01)
    client = join(api)
    types = [client.publish(f"p{number}", "/default/a", "1")["type"] for number in range(4)]
    assert types == ["publish_success"] * 3 + ["publish_error"]
    assert post(api, "/default/a", "1", "2", "3").status_code == 200
    response = post(api, "/default/a", "1")
    assert (response.status_code, response.json()["errors"][0]["errorType"]) == (429, "LimitExceededError")


def test_200_subscriptions_and_no_more(serve: Serve, join: Join) -> None:
    client = join(serve())
    for number in range(200):
        assert client.subscribe(f"s{number}", "/default/a")["type"] == "subscribe_success"
    assert client.subscribe("more", "/default/a")["errors"][0] == {
        "errorType": "MaxSubscriptionsReachedError",
        "message": "Max number of 200 subscriptions reached",
    }


def test_signs_of_life_every_minute_and_an_end_after_a_day(serve: Serve, join: Join) -> None:
    api = serve(speed=600)
    began = time.monotonic()
    client = join(api)
    assert [client.hear() for _ in range(3)] == [{"type": "ka"}] * 3
    assert time.monotonic() - began >= 0.3
    short = serve(limits=Limits(longest_connection=60.0, keep_alive=45.0), speed=100)
    client = join(short)
    assert client.hear() == {"type": "ka"}
    with pytest.raises(ConnectionClosed) as closed:
        client.hear()
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1001
    assert [each.detail for each in short.journal.last.of("cut")] == ["connection of 60 s"]


def test_a_network_that_loses_and_overtakes(serve: Serve, join: Join, post: Post) -> None:
    def heard(drop: float = 0.0, reorder: float = 0.0) -> list[int]:
        api = serve(drop=drop, reorder=reorder, seed=7)
        client = join(api)
        client.subscribe("x", "/default/a")
        for start in range(0, 40, 5):
            post(api, "/default/a", *map(str, range(start, start + 5)))
        if not drop:  # the last one may be held back for a while
            api.journal.wait(
                lambda journal: [each.detail for each in journal[0].of("received")].count("data") == 40
            )
        client.say(type="unsubscribe", id="x")
        got: list[int] = []
        while (message := client.hear())["type"] == "data":
            got.append(int(message["event"][0]))
        return got

    assert heard() == list(range(40))
    overtaken = heard(reorder=0.3)
    assert sorted(overtaken) == list(range(40))
    assert overtaken != sorted(overtaken)
    some = heard(drop=0.2)
    assert 0 < len(some) < 40
    assert some == heard(drop=0.2)


def test_the_last_event_is_not_held_back_for_ever(serve: Serve, join: Join, post: Post) -> None:
    api = serve(reorder=1.0)
    client = join(api)
    client.subscribe("x", "/default/a")
    post(api, "/default/a", "1")
    assert client.hear()["event"] == ["1"]


def test_a_client_that_leaves_takes_its_subscriptions_along(serve: Serve, join: Join, post: Post) -> None:
    api = serve()
    client = join(api)
    client.subscribe("x", "/default/a")
    client.connection.close()
    api.journal.wait(lambda journal: journal[0].happened("left"))
    post(api, "/default/a", "1")
    assert "for 0 subscriptions" in str(api.journal.last)


def test_the_journal_tells_what_waits_for_a_client(serve: Serve, join: Join, post: Post) -> None:
    api = serve()
    client = join(api)
    client.subscribe("x", "/default/a")
    post(api, "/default/a", "1")
    client.hear()
    api.journal.wait(lambda journal: journal[0].held() == 0 and len(journal[0].of("passed")) == 2)
    assert [each.detail for each in api.journal[0].of("passed")] == ["subscribe_success", "data"]


def test_the_command(join: Join, post: Post, tmp_path: Path) -> None:
    keys = tmp_path / "keys.yaml"
    keys.write_text("access_keys: {AKIAEXAMPLE: {secret: s}}\n")
    words = ["--namespace", "chat", "--api-key", "da2-mine", "--event-as", "string", "--seed", "1"]
    words += ["--credentials", str(keys), "--authorizer", "json:dumps", "--journal", str(tmp_path / "j")]
    command = [sys.executable, "-m", "converse_emulator", "hop", "appsync-events", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            url = process.stdout.readline().removeprefix("ready ").strip()
            api = SimpleNamespace(url=url, realtime_url=f"ws{url[4:]}/event/realtime")
            client = join(api, MINE)
            client.subscribe("x", "/chat/a", MINE)
            assert post(api, "/chat/a", "1", **MINE).status_code == 200
            assert client.hear()["event"] == "1"
        finally:
            process.terminate()
    assert process.returncode == 0
    assert '"1 events in /chat/a for 1 subscriptions"' in (tmp_path / "j").read_text()


@pytest.mark.parametrize("wrong", [["--drop", "2"], ["--authorizer", "nowhere:f"], ["--authorizer", "json"]])
def test_a_command_that_cannot_be(wrong: list[str]) -> None:
    command = [sys.executable, "-m", "converse_emulator", "hop", "appsync-events", *wrong]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert wrong[1] in done.stderr
