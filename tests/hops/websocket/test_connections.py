"""Clients of `websockets` at a WebSocket API: handshake, events, routes, limits, the ways to end."""

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from converse_hops.websocket.api import WebSocketApi
from converse_hops.websocket.limits import Limits, Unknowns
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.hops.websocket.conftest import WAIT, Recorder, browser, management

ServeApi = Callable[..., WebSocketApi]


def closed(client: Any) -> tuple[int, str]:
    """Code and reason of the close frame that comes next."""
    with pytest.raises(ConnectionClosed) as error:
        client.recv(timeout=WAIT)
    assert error.value.rcvd is not None
    return error.value.rcvd.code, error.value.rcvd.reason


def test_the_events_of_a_connection(api: WebSocketApi, recorder: Recorder) -> None:
    with browser(api, url=f"{api.connect_url}?token=a", user_agent_header="test/1") as client:
        event = recorder.next("CONNECT")
        assert event["headers"]["Host"] == api.url.removeprefix("http://")
        assert event["headers"]["Sec-WebSocket-Version"] == "13"
        assert not {"connection", "upgrade"} & {name.lower() for name in event["headers"]}
        assert event["queryStringParameters"] == {"token": "a"}
        context = event["requestContext"]
        assert context["identity"] == {"userAgent": "test/1", "sourceIp": "127.0.0.1"}
        assert (context["routeKey"], context["stage"]) == ("$connect", "prod")

        client.send('{"action": "chat"}')
        event = recorder.next("MESSAGE")
        assert (event["body"], event["isBase64Encoded"]) == ('{"action": "chat"}', False)
        assert event["requestContext"]["connectionId"] == context["connectionId"]
        assert event["requestContext"]["connectedAt"] == context["connectedAt"]
        assert "headers" not in event
        client.close(code=1000, reason="bye")
    event = recorder.next("DISCONNECT")["requestContext"]
    assert (event["disconnectStatusCode"], event["disconnectReason"]) == (1000, "bye")
    assert event["connectionId"] == context["connectionId"]


def test_a_client_that_is_cut_off(api: WebSocketApi, recorder: Recorder) -> None:
    client = browser(api)
    recorder.connection_id()
    client.socket.shutdown(2)
    event = recorder.next("DISCONNECT")["requestContext"]
    assert event["disconnectStatusCode"] == 1006


def test_routes_are_found_in_the_message(serve_api: ServeApi, recorder: Recorder) -> None:
    api = serve_api(routes=("$connect", "chat"))
    with browser(api) as client:
        name = recorder.connection_id()
        client.send('{"action": "chat"}')
        assert recorder.next("MESSAGE")["requestContext"]["routeKey"] == "chat"
        client.send('{"action": "other"}')
        notice = json.loads(client.recv(timeout=WAIT))
        assert (notice["message"], notice["connectionId"]) == ("Forbidden", name)
        assert notice["requestId"]


@pytest.mark.parametrize(
    ("result", "unknowns", "status"),
    [
        ({"statusCode": 401}, Unknowns(), 401),
        ({"statusCode": 401}, Unknowns(refused_connect="403"), 403),
        ({"statusCode": 302}, Unknowns(), 403),
        (None, Unknowns(), 502),
        (ZeroDivisionError(), Unknowns(), 502),
    ],
)
def test_a_handshake_that_is_refused(
    serve_api: ServeApi, recorder: Recorder, result: Any, unknowns: Unknowns, status: int
) -> None:
    recorder.results["CONNECT"] = result
    api = serve_api(unknowns=unknowns)
    with pytest.raises(InvalidStatus) as refused:
        browser(api)
    assert refused.value.response.status_code == status
    recorder.next("CONNECT")
    recorder.results.clear()
    with browser(api):  # the API goes on
        recorder.next("CONNECT")
    assert recorder.next("DISCONNECT")["requestContext"]["disconnectStatusCode"] == 1000


def test_another_stage_is_refused(api: WebSocketApi, recorder: Recorder) -> None:
    with pytest.raises(InvalidStatus) as refused:
        browser(api, url=f"{api.connect_url}x")
    assert refused.value.response.status_code == 403
    assert recorder.events.empty()


def test_too_many_handshakes_are_refused(serve_api: ServeApi) -> None:
    api = serve_api(limits=Limits(connections_per_second=1))

    def rush(clients: ExitStack) -> None:
        for _ in range(50):  # one a second would take a minute
            clients.enter_context(browser(api))

    with ExitStack() as clients, pytest.raises(InvalidStatus) as refused:
        rush(clients)
    assert refused.value.response.status_code == 429


def test_a_handshake_that_takes_too_long_is_refused(serve_api: ServeApi, recorder: Recorder) -> None:
    api = serve_api(speed=100)
    let_go = threading.Event()
    recorder.results["CONNECT"] = lambda _: let_go.wait(WAIT)
    began = time.monotonic()
    with pytest.raises(InvalidStatus) as refused:
        browser(api)
    let_go.set()
    assert refused.value.response.status_code == 504
    assert time.monotonic() - began >= 0.29


def test_a_frame_over_32_kb_closes_with_1009(api: WebSocketApi, recorder: Recorder) -> None:
    with browser(api) as client:
        recorder.connection_id()
        client.send("x" * 32_768)
        assert len(recorder.next("MESSAGE")["body"]) == 32_768
        client.send("x" * 32_769)
        assert closed(client)[0] == 1009
    assert recorder.next("DISCONNECT")["requestContext"]["disconnectStatusCode"] == 1009


def test_a_message_in_fragments_may_have_128_kb_and_no_more(api: WebSocketApi, recorder: Recorder) -> None:
    with browser(api) as client:
        recorder.connection_id()
        client.send(["x" * 32_768] * 4)
        assert len(recorder.next("MESSAGE")["body"]) == 131_072
        client.send(["x" * 32_768] * 4 + ["x"])
        assert closed(client)[0] == 1009


def test_a_connection_that_is_idle_for_10_minutes_goes_away(serve_api: ServeApi, recorder: Recorder) -> None:
    api = serve_api(speed=1000)
    with browser(api) as client:
        recorder.connection_id()
        began = time.monotonic()
        assert closed(client) == (1001, "Going away")
        assert time.monotonic() - began >= 0.55
    assert recorder.next("DISCONNECT")["requestContext"]["disconnectStatusCode"] == 1001
    (cut,) = api.journal.last.of("cut")
    assert cut.detail == "idle connection timeout of 600 s"


def test_posts_keep_a_connection_alive_and_after_2_hours_it_goes_away(
    serve_api: ServeApi, recorder: Recorder
) -> None:
    api = serve_api(speed=2000, limits=Limits(idle=2000))
    client_of = management(api)
    with browser(api) as client:
        name = recorder.connection_id()
        began = time.monotonic()
        posts = 0
        while not api.journal.last.happened("cut"):
            with suppress(client_of.exceptions.GoneException):
                client_of.post_to_connection(ConnectionId=name, Data=b"x")
                posts += 1
            time.sleep(0.05)
        assert time.monotonic() - began >= 3.5
        for _ in range(posts):
            assert client.recv(timeout=WAIT) == "x"
        assert closed(client) == (1001, "Going away")
    (cut,) = api.journal.last.of("cut")
    assert cut.detail == "connection duration of 7200 s"


def test_an_integration_that_takes_29_seconds_is_reported_and_runs_on(
    serve_api: ServeApi, recorder: Recorder
) -> None:
    api = serve_api(speed=100)
    let_go = threading.Event()

    def slow(event: dict[str, Any]) -> None:
        let_go.wait(WAIT)
        name = event["requestContext"]["connectionId"]
        management(api).post_to_connection(ConnectionId=name, Data=b"still here")

    recorder.results["MESSAGE"] = slow
    with browser(api) as client:
        name = recorder.connection_id()
        client.send("a")
        notice = json.loads(client.recv(timeout=WAIT))
        assert notice.pop("requestId")
        assert notice == {"message": "Endpoint request timed out", "connectionId": name}
        let_go.set()
        assert client.recv(timeout=WAIT) == "still here"


def test_an_integration_that_fails_is_reported(api: WebSocketApi, recorder: Recorder) -> None:
    recorder.results["MESSAGE"] = ZeroDivisionError("a secret")
    with browser(api) as client:
        name = recorder.connection_id()
        client.send("a")
        notice = json.loads(client.recv(timeout=WAIT))
        assert (notice["message"], notice["connectionId"]) == ("Internal server error", name)
        assert "secret" not in str(notice)
    assert "ZeroDivisionError" in api.journal.last.of("failed")[0].detail


def test_without_notices_nothing_is_reported(serve_api: ServeApi, recorder: Recorder) -> None:
    api = serve_api(unknowns=Unknowns(notices=False))
    recorder.results["MESSAGE"] = ZeroDivisionError()
    with browser(api) as client:
        name = recorder.connection_id()
        client.send("a")
        api.journal.wait(lambda journal: bool(journal.last.of("failed")))
        management(api).post_to_connection(ConnectionId=name, Data=b"next")
        assert client.recv(timeout=WAIT) == "next"


@pytest.mark.parametrize("route_response", [True, False])
def test_a_returned_body_is_a_message_only_where_the_route_has_a_response(
    serve_api: ServeApi, recorder: Recorder, route_response: bool
) -> None:
    api = serve_api(route_response=route_response)
    recorder.results["MESSAGE"] = {"statusCode": 200, "body": "the whole answer"}
    with browser(api) as client:
        name = recorder.connection_id()
        client.send("a")
        recorder.next("MESSAGE")
        if route_response:
            assert client.recv(timeout=WAIT) == "the whole answer"
        management(api).post_to_connection(ConnectionId=name, Data=b"next")
        assert client.recv(timeout=WAIT) == "next"


def test_a_handshake_may_come_in_any_pieces(api: WebSocketApi, recorder: Recorder) -> None:
    head = (
        f"GET /prod HTTP/1.1\r\nHost: {api.url.removeprefix('http://')}\r\nUPGRADE: WebSocket\r\n"
        "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", int(api.url.rpartition(":")[2])), timeout=WAIT) as plain:
        for byte in head:
            plain.send(bytes([byte]))
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += plain.recv(1)
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer  # RFC 6455's own example
    recorder.next("CONNECT")


def test_a_connection_that_never_says_what_it_is_leaves_nothing(serve_api: ServeApi) -> None:
    api = serve_api()
    with socket.create_connection(("127.0.0.1", int(api.url.rpartition(":")[2]))) as silent:
        silent.sendall(b"GET /prod HTTP/1.1\r\n")
        with browser(api):  # it was accepted before this one
            pass
        api.stop()
        silent.settimeout(WAIT)
        with suppress(ConnectionResetError):
            assert silent.recv(1) == b""


def test_the_journal_tells_what_passed(api: WebSocketApi, recorder: Recorder) -> None:
    with browser(api) as client:
        name = recorder.connection_id()
        client.send("four")
        recorder.next("MESSAGE")
        management(api).post_to_connection(ConnectionId=name, Data=b"sixsix")
        client.recv(timeout=WAIT)
    passage = api.journal.last
    api.journal.wait(lambda _: passage.happened("left"))
    assert passage.about == f"connection {name}"
    assert (passage.total("received", "up"), passage.total("passed", "up")) == (4, 4)
    assert (passage.total("received"), passage.total("passed"), passage.held()) == (6, 6, 0)
