"""The lane over HTTP/2: many answers in one write, the client's windows, what shares a connection."""

import asyncio.selector_events
import json
import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from converse_emulator import Emulator, uvicorn_side
from converse_emulator.framing.eventstream import Decoder
from converse_emulator.http import asgi
from converse_emulator.http.http2 import Kind, connection_frame
from converse_emulator.opening import Answer
from converse_emulator.server import Server
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from uvicorn import Config

from tests.h2_client import H2Client, Stream, h2_client

PATH = "/model/anthropic.claude-3-haiku-20240307-v1:0/converse"
DEFAULT_WINDOW = 65_535  # of a stream, and of a connection
LARGEST_FRAME = 16_384


@pytest.fixture(params=["http", "https"])
def emulator(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Emulator]:
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / name)
    with (
        caplog.at_level(logging.WARNING),
        Emulator(tls=request.param == "https", validation="model") as running,
    ):
        yield running
    assert caplog.record_tuples == []


@pytest.fixture
def client(emulator: Emulator) -> Iterator[H2Client]:
    with h2_client(emulator.endpoint_url, emulator.ca_bundle, timeout=10) as connected:
        yield connected


def asked(prompt: str = "Hi") -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": [{"text": prompt}]}]}).encode()


def play(emulator: Emulator, text: str, times: int = 1) -> None:
    for _ in range(times):
        emulator.play([{"text": text, "split": "whole"}])


def opened(client: H2Client, size: int) -> Stream:
    """A request whose body is still to come."""
    return client.request(PATH, None, **{"content-length": str(size)})


def ended(streams: list[Stream]) -> bool:
    return all(stream.end for stream in streams)


def text_of(stream: Stream) -> str:
    return str(json.loads(bytes(stream.body))["output"]["message"]["content"][0]["text"])


def set_window(client: H2Client, size: int) -> None:
    """How much of a response the client takes before it has said more; what is sent comes after it."""
    client.connection.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: size})
    client.flush()


def prompt_of(emulator: Emulator, number: int = -1) -> str:
    return str(emulator.journal[number].request["body"]["messages"][0]["content"][0]["text"])


# -------------------------------------------------------------------------------------- what is whole


def test_what_comes_together_is_answered_in_one_write(
    emulator: Emulator, client: H2Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(emulator, "Hello", times=100)
    ask_together(client, 1)  # all that is imported late is there, and the first settings are acknowledged
    writes: list[int] = []
    kind = asyncio.selector_events._SelectorSocketTransport  # type: ignore[attr-defined]
    write = kind.write

    def counted(transport: object, data: bytes) -> None:
        writes.append(len(data))
        write(transport, data)

    monkeypatch.setattr(kind, "write", counted)
    streams = ask_together(client, 20)
    assert [text_of(stream) for stream in streams] == ["Hello"] * 20
    assert len(writes) == 1
    assert [exchange.ended for exchange in emulator.journal] == ["finished"] * 21


def ask_together(client: H2Client, count: int, path: str = PATH) -> list[Stream]:
    """So many requests in one write of the client's, and their answers."""
    streams = []
    for _ in range(count):
        number = client.connection.get_next_available_stream_id()
        streams.append(Stream(number))
        client.streams[number] = streams[-1]
        pseudo = {":method": "POST", ":path": path, ":scheme": "https", ":authority": "x"}
        client.connection.send_headers(number, list(pseudo.items()))
        client.connection.send_data(number, asked(), end_stream=True)
    client.flush()
    client.until(partial(ended, streams))
    return streams


def test_three_hundred_requests_on_one_connection_free_their_places(client: H2Client) -> None:
    for _ in range(3):
        assert {stream.status for stream in ask_together(client, 100)} == {200}


def test_a_response_of_several_frames_ends_the_stream(emulator: Emulator, client: H2Client) -> None:
    emulator.play([{"text": "x" * 3 * LARGEST_FRAME}])
    stream = client.request(PATH, asked())
    client.until(lambda: stream.end)
    assert (text_of(stream), stream.end) == ("x" * 3 * LARGEST_FRAME, "END_STREAM")


def test_a_request_may_be_without_a_body(client: H2Client) -> None:
    """Its head ends the stream then, and no frame follows."""
    for method, path in (("POST", PATH), ("GET", "/async-invoke")):
        number = client.connection.get_next_available_stream_id()
        stream = client.streams[number] = Stream(number)
        pseudo = {":method": method, ":path": path, ":scheme": "https", ":authority": "x"}
        client.connection.send_headers(number, list(pseudo.items()), end_stream=True)
        client.flush()
        client.until(partial(ended, [stream]))
        assert stream.status == 200


def test_a_request_may_have_padding_and_trailers(emulator: Emulator, client: H2Client) -> None:
    stream = opened(client, len(asked()))
    client.connection.send_data(stream.number, asked()[:9], pad_length=255)
    client.connection.send_data(stream.number, asked()[9:], pad_length=0)
    client.connection.send_headers(stream.number, [("x-checksum", "1b")], end_stream=True)
    client.flush()
    client.until(lambda: stream.end)
    assert (stream.status, prompt_of(emulator)) == (200, "Hi")


# ------------------------------------------------------------------------------------------- windows


@pytest.mark.parametrize("window", [1, 1000, DEFAULT_WINDOW])
def test_a_response_larger_than_the_window_waits_for_it(
    emulator: Emulator, client: H2Client, window: int
) -> None:
    answer = "x" * max(100, window)  # and the JSON around it
    play(emulator, answer)
    set_window(client, window)
    stream = client.request(PATH, asked())
    client.until(lambda: stream.end)
    assert (text_of(stream), stream.end) == (answer, "END_STREAM")


def test_responses_that_the_connections_window_does_not_hold_wait_for_it(
    emulator: Emulator, client: H2Client
) -> None:
    play(emulator, "x" * 30_000, times=10)
    set_window(client, 1 << 20)  # of each stream; the connection's stays
    streams = [client.request(PATH, asked()) for _ in range(10)]
    client.until(partial(ended, streams))
    assert [len(text_of(stream)) for stream in streams] == [30_000] * 10


def test_a_window_that_is_closed_holds_up_its_stream_alone(emulator: Emulator, client: H2Client) -> None:
    play(emulator, "Hello", times=2)
    set_window(client, 0)
    held = client.request(PATH, asked())
    client.until(lambda: held.headers)
    set_window(client, DEFAULT_WINDOW)  # and so the held one goes on
    client.until(lambda: held.end)
    set_window(client, 0)
    held = client.request(PATH, asked())
    other = client.request("/model/x/converse", b"{", method="DELETE")
    client.connection.increment_flow_control_window(1000, other.number)
    client.flush()
    client.until(lambda: other.end)
    assert (held.end, other.status) == ("", 405)


def test_a_window_that_never_opens_ends_with_the_client(emulator: Emulator) -> None:
    play(emulator, "Hello")
    with h2_client(emulator.endpoint_url, emulator.ca_bundle) as client:
        set_window(client, 0)
        stream = client.request(PATH, asked())
        client.until(lambda: stream.headers)
    (exchange,) = emulator.journal.wait()
    assert exchange.status == 200


def test_a_connection_with_a_response_that_waits_is_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    hurried = partial(Config, timeout_keep_alive=0.1)  # type: ignore[arg-type]
    monkeypatch.setattr(uvicorn_side, "Config", hurried)
    with Emulator() as emulator, h2_client(emulator.endpoint_url, timeout=10) as client:
        play(emulator, "Hello")
        set_window(client, 0)
        stream = client.request(PATH, asked())
        client.until(lambda: stream.headers)
        client.wait_at_most(0.5)
        with pytest.raises(TimeoutError):
            client.step()
        client.wait_at_most(10)
        set_window(client, DEFAULT_WINDOW)
        client.until(lambda: stream.end)
        assert text_of(stream) == "Hello"
        with pytest.raises(ConnectionResetError):  # and then it is
            client.until(lambda: False)


def test_the_windows_for_uploads_are_opened_again(emulator: Emulator, client: H2Client) -> None:
    """Beyond what the lane holds of a body, uvicorn's side goes on."""
    for size in (900_000, 1_500_000):
        streams = [client.request(PATH, asked("x" * size)) for _ in range(2)]
        client.until(partial(ended, streams))
        assert {stream.status for stream in streams} == {200}
        assert len(prompt_of(emulator)) == size
    assert len(emulator.journal) == 4


def test_a_client_that_opens_its_windows_and_does_not_read_gets_all_in_the_end(
    emulator: Emulator, client: H2Client
) -> None:
    play(emulator, "x" * 60_000, times=100)
    client.connection.increment_flow_control_window(1 << 30)
    set_window(client, 1 << 30)
    streams = [client.request(PATH, asked()) for _ in range(100)]
    emulator.journal.wait(20)
    client.until(partial(ended, streams))
    assert [len(text_of(stream)) for stream in streams] == [60_000] * 100


# --------------------------------------------------------------------------------------- what ends early


def test_thousands_of_requests_on_one_connection_are_too_many_and_it_is_said_in_time(
    emulator: Emulator, client: H2Client
) -> None:
    for _ in range(41):
        assert {stream.status for stream in ask_together(client, 100, "/unknown")} == {404}
        client.streams.clear()
        if client.goes_away:
            break
    else:
        pytest.fail("nothing was said")
    assert {stream.status for stream in ask_together(client, 100)} == {200}  # of those that were on their way
    assert len(emulator.journal) == 100


def test_clients_that_reset_hundreds_of_streams_are_told_in_time(client: H2Client) -> None:
    while not client.goes_away:
        streams = [opened(client, 100) for _ in range(50)]
        for stream in streams:
            client.connection.reset_stream(stream.number, ErrorCodes.CANCEL)
        ask_together(client, 1)
    assert len(client.streams) <= 51 * 5
    ask_together(client, 1)


def test_a_client_may_reset_a_request_whose_body_is_coming(emulator: Emulator, client: H2Client) -> None:
    given_up, other = opened(client, 100), opened(client, len(asked()))
    client.connection.send_data(given_up.number, b"{")
    client.connection.reset_stream(given_up.number, ErrorCodes.CANCEL)
    client.write(other, asked(), last=True)
    client.until(lambda: other.end)
    assert (other.status, len(emulator.journal)) == (200, 1)


def test_a_client_may_reset_a_request_that_it_has_just_sent(emulator: Emulator, client: H2Client) -> None:
    given_up, other = opened(client, len(asked())), opened(client, len(asked()))
    client.connection.send_data(given_up.number, asked(), end_stream=True)
    client.connection.reset_stream(given_up.number, ErrorCodes.CANCEL)
    client.write(other, asked(), last=True)
    client.until(lambda: other.end)
    assert (other.status, given_up.headers, len(emulator.journal)) == (200, [], 1)


@pytest.mark.parametrize("size", [30_000, 200_000])
def test_a_client_may_reset_a_response_that_waits_for_its_window(
    emulator: Emulator, client: H2Client, size: int
) -> None:
    play(emulator, "x" * size)
    play(emulator, "y")
    set_window(client, 10_000)
    given_up = client.request(PATH, asked())
    client.until(lambda: given_up.body)
    client.connection.reset_stream(given_up.number, ErrorCodes.CANCEL)
    other = client.request(PATH, asked())
    client.until(lambda: other.end)
    assert (text_of(other), given_up.end) == ("y", "")


@pytest.mark.parametrize("size", [5, 500])
def test_a_body_of_another_length_than_it_says_is_refused_alone(
    emulator: Emulator, client: H2Client, size: int
) -> None:
    wrong, other = opened(client, size), opened(client, len(asked()))
    client.write(wrong, asked(), last=True)
    client.write(other, asked(), last=True)
    client.until(lambda: wrong.end and other.end)
    assert (wrong.end, other.status, len(emulator.journal)) == ("PROTOCOL_ERROR", 200, 1)


def test_a_request_that_is_coming_is_answered_after_goaway(emulator: Emulator, client: H2Client) -> None:
    play(emulator, "at once")
    emulator.play([{"wait": "10ms"}, {"text": "played"}])
    streams = [opened(client, len(asked())) for _ in range(2)]
    client.send_past_h2(connection_frame(Kind.GOAWAY, bytes(8)))
    for stream in streams:
        client.write(stream, asked(), last=True)
    with pytest.raises(ConnectionResetError):
        client.until(lambda: False)
    assert [text_of(stream) for stream in streams] == ["at once", "played"]


def test_a_connection_may_be_lost_while_a_body_is_coming(emulator: Emulator) -> None:
    with h2_client(emulator.endpoint_url, emulator.ca_bundle) as client:
        client.write(opened(client, 100), b"{")
    assert len(emulator.journal) == 0


def test_what_fails_before_an_answer_resets_its_stream_alone(caplog: pytest.LogCaptureFixture) -> None:
    def failing(*request: object) -> Answer:
        raise RuntimeError(request)

    async def app(_scope: asgi.Scope, _receive: asgi.Receive, send: asgi.Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"control"})

    server = Server(app, "127.0.0.1", 0, answer_to=failing)
    server.start()
    try:
        with h2_client(server.url, timeout=10) as client:
            failed = client.request("/", b"{}")
            other = client.request("/_emulator/health", b"{}")
            client.until(lambda: failed.end and other.end)
    finally:
        server.stop()
    assert (failed.end, other.end, bytes(other.body)) == ("CANCEL", "END_STREAM", b"control")
    assert "failed before an answer" in caplog.text


# ------------------------------------------------------------------------------- what shares a connection


def test_all_kinds_of_requests_share_a_connection(emulator: Emulator, client: H2Client) -> None:
    emulator.session("paced").play([{"text": "one "}, {"gate": "g"}, {"text": "two"}])
    emulator.session("broken").play([{"text": "one"}, {"reset": "INTERNAL_ERROR"}])
    paced = client.request(f"/session/paced{PATH}-stream", asked())
    client.until(lambda: len(Decoder().feed(bytes(paced.body))) >= 2)
    broken = client.request(f"/session/broken{PATH}-stream", asked())
    control = client.request("/_emulator/health", b"", method="GET")
    expecting = client.request(PATH, None, expect="100-continue", **{"content-length": str(len(asked()))})
    at_once = [client.request(PATH, asked()) for _ in range(3)]
    client.until(partial(ended, [*at_once, broken, control]))
    client.until(lambda: expecting.interim)
    client.write(expecting, asked(), last=True)
    client.until(lambda: expecting.end)
    assert paced.end == ""
    emulator.session("paced").open_gate("g")
    client.until(lambda: paced.end)
    assert (paced.end, broken.end) == ("END_STREAM", "INTERNAL_ERROR")
    assert {stream.status for stream in [paced, control, expecting, *at_once]} == {200}


def test_no_request_is_let_in_after_goaway_and_those_that_are_coming_are_answered(
    emulator: Emulator, client: H2Client
) -> None:
    emulator.session("s").play([{"text": "first"}, {"go_away": "NO_ERROR"}, {"gate": "g"}, {"text": "last"}])
    coming = opened(client, len(asked()))
    leaving = client.request(f"/session/s{PATH}-stream", asked())
    client.until(lambda: client.goes_away)
    late = client.request(PATH, asked())
    client.write(coming, asked(), last=True)
    client.until(partial(ended, [coming, late]))
    emulator.session("s").open_gate("g")
    with pytest.raises(ConnectionResetError):
        client.until(lambda: False)
    assert (coming.status, late.status, leaving.status, leaving.end) == (200, 503, 200, "END_STREAM")
