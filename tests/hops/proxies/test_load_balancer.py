"""The load balancer: it passes at once, and cuts what is silent."""

import asyncio
import re
import socket
import threading
import time

import httpx
import pytest
from converse_hops import LoadBalancer
from converse_hops.http.server import Incoming

from tests.hops.peers import GET, Origin, raw
from tests.hops.proxies.events import ASK, breaking, event, rest, seen, streaming

MINUTE = 60.0  # the idle timeout, in documents' seconds


async def echo(incoming: Incoming) -> None:
    lines = [f"{name}: {value}" for name, value in incoming.headers]
    await incoming.answer(200, [("Connection", "X-Own"), ("X-Own", "1")], "\n".join(lines).encode())


def test_each_event_passes_at_once() -> None:
    gate = threading.Semaphore()

    async def answer(incoming: Incoming) -> None:
        await incoming.head(200, [("Content-Type", "text/event-stream")])
        for number in range(1, 6):
            await asyncio.to_thread(gate.acquire)  # until the far end has seen the event before
            await incoming.send(event(number))
        await incoming.end()

    with Origin(answer) as origin, LoadBalancer(origin) as balancer, raw(balancer.url, ASK) as connection:
        for number in range(1, 5):
            seen(connection, event(number))
            gate.release()
        seen(connection, b"0\r\n\r\n")
        balancer.journal.wait(lambda journal: journal.last.happened("ended"))
    passage = balancer.journal.last
    assert passage.about == "POST /chat"
    assert passage.held() == 0
    assert passage.total("passed", "up") == 2


def test_who_asked_is_told_and_what_belongs_to_one_connection_is_not() -> None:
    with Origin(echo) as origin, LoadBalancer(origin) as balancer:
        response = httpx.get(
            balancer.url,
            headers={"x-forwarded-for": "1.2.3.4", "connection": "close, x-mine", "x-mine": "1"},
            trust_env=False,
        )
        port = balancer.url.rpartition(":")[2]
    told = dict(line.split(": ", 1) for line in response.text.splitlines())
    assert told["X-Forwarded-For"] == "1.2.3.4, 127.0.0.1"
    assert told["X-Forwarded-Proto"] == "http"
    assert told["X-Forwarded-Port"] == port
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", told["X-Amzn-Trace-Id"])
    assert {"connection", "x-mine"} & {name.lower() for name in told} == set()
    assert "x-own" not in response.headers
    assert response.headers["content-length"] == str(len(response.content))


def test_a_trace_goes_on() -> None:
    with Origin(echo) as origin, LoadBalancer(origin) as balancer:
        response = httpx.get(balancer.url, headers={"x-amzn-trace-id": "Root=1-a-b"}, trust_env=False)
    assert re.search(
        r"^X-Amzn-Trace-Id: Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-a-b$", response.text, re.MULTILINE
    )


@pytest.mark.parametrize("framing", ["Content-Length: 300000", "Transfer-Encoding: chunked"])
def test_bodies_of_requests_pass_whole(framing: str) -> None:
    async def count(incoming: Incoming) -> None:
        await incoming.answer(200, [], str(len(await incoming.body())).encode())

    data = b"x" * 300_000
    with Origin(count) as origin, LoadBalancer(origin) as balancer:
        chunks = framing.startswith("T")
        content = iter([data[:7], data[7:]]) if chunks else data
        assert httpx.post(balancer.url, content=content, trust_env=False).text == "300000"


def test_a_minute_of_silence_before_the_head_is_504() -> None:
    with (
        Origin(streaming(late=30.0)) as origin,
        LoadBalancer(origin, speed=100) as balancer,
        raw(balancer.url, ASK) as connection,
    ):
        asked_at = time.monotonic()
        answer = seen(connection, b"</html>\r\n")
        assert time.monotonic() - asked_at >= MINUTE / 100
        assert answer.startswith(b"HTTP/1.1 504 Gateway Timeout\r\nServer: awselb/2.0\r\n")
        assert b"\r\nContent-Type: text/html\r\n" in answer
        (cut,) = balancer.journal.last.of("cut")
    assert cut.detail == "idle timeout of 60 s"


def test_a_minute_of_silence_in_the_stream_cuts_it_without_the_last_chunk() -> None:
    with (
        Origin(streaming(0, 0.3, 0.3, 30.0)) as origin,
        LoadBalancer(origin, speed=30) as balancer,
        raw(balancer.url, ASK) as connection,
    ):
        answer = rest(connection)
        assert [event(number) in answer for number in range(1, 5)] == [True, True, True, False]
        assert not answer.endswith(b"0\r\n\r\n")
        (cut,) = balancer.journal.last.of("cut")
        last = balancer.journal.last.of("passed")[-1]
    assert cut.detail == "idle timeout of 60 s"
    assert cut.at - last.at >= MINUTE / 30 - 0.05


def test_bytes_within_the_minute_keep_it_alive_for_as_long_as_they_come() -> None:
    with Origin(streaming(*[0.3] * 10)) as origin, LoadBalancer(origin, speed=30) as balancer:
        response = httpx.post(balancer.url, content=b"{}", trust_env=False)
    assert response.content == b"".join(map(event, range(1, 11)))


def test_a_request_that_stalls_is_408() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n12"
    with (
        Origin(streaming(0)) as origin,
        LoadBalancer(origin, speed=100) as balancer,
        raw(balancer.url, head) as connection,
    ):
        assert rest(connection).startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_an_idle_connection_of_a_client_is_closed() -> None:
    with (
        Origin(echo) as origin,
        LoadBalancer(origin, idle_timeout=30, speed=100) as balancer,
        raw(balancer.url, GET) as connection,
    ):
        seen(connection, b"\r\n\r\n")
        began = time.monotonic()
        rest(connection)
        assert time.monotonic() - began >= 0.25


def test_an_old_connection_of_a_client_is_closed_with_its_next_response() -> None:
    with (
        Origin(echo) as origin,
        LoadBalancer(origin, client_keep_alive=60, speed=30) as balancer,
        httpx.Client(trust_env=False) as client,
    ):
        assert "connection" not in client.get(balancer.url).headers
        for _ in range(2):  # used again and again, or it would be closed for being idle
            time.sleep(1.1)
            last = client.get(balancer.url)
        assert last.headers["connection"] == "close"


def closing_target() -> tuple[socket.socket, str]:
    listening = socket.create_server(("127.0.0.1", 0))
    return listening, f"http://127.0.0.1:{listening.getsockname()[1]}"


def serve_once(listening: socket.socket, answered: threading.Event) -> None:
    """A target whose keep-alive is over soon: it closes after its response, without a word of warning."""
    connection, _ = listening.accept()
    with connection:
        seen(connection, b"\r\n\r\n")
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        answered.wait(20)


@pytest.mark.parametrize(("late_fin", "second"), [(False, 200), (True, 502)])
def test_a_target_that_closes_first_makes_the_next_request_fail(late_fin: bool, second: int) -> None:
    listening, url = closing_target()
    answered = threading.Event()
    with listening, LoadBalancer(url, late_fin=late_fin) as balancer, httpx.Client(trust_env=False) as client:
        for expected in (200, second):
            target = threading.Thread(target=serve_once, args=(listening, answered))
            if expected == 200:
                target.start()
            response = client.get(balancer.url)
            assert response.status_code == expected
            if expected == 200:
                answered.set()
                target.join()
                time.sleep(0.2)  # the FIN is there
    if late_fin:
        assert response.headers["server"] == "awselb/2.0"
        assert "502 Bad Gateway" in response.text


def test_a_connection_to_the_target_is_used_again() -> None:
    async def who(incoming: Incoming) -> None:
        await incoming.answer(200, [], str(id(incoming.left)).encode())

    with Origin(who) as origin, LoadBalancer(origin) as balancer, httpx.Client(trust_env=False) as client:
        assert len({client.get(balancer.url).text for _ in range(5)}) == 1


def test_a_target_that_cannot_be_reached_is_502() -> None:
    listening, url = closing_target()
    listening.close()
    with LoadBalancer(url) as balancer:
        assert httpx.get(balancer.url, trust_env=False).status_code == 502
        assert balancer.journal.last.happened("failed")


def test_a_target_that_breaks_off_breaks_the_stream_off() -> None:
    with (
        Origin(breaking(2)) as origin,
        LoadBalancer(origin) as balancer,
        raw(balancer.url, GET) as connection,
    ):
        answer = rest(connection)
    assert event(2) in answer
    assert not answer.endswith(b"0\r\n\r\n")


def test_a_client_that_leaves_takes_the_connection_to_the_target_with_it() -> None:
    with Origin(streaming(0, 60.0)) as origin, LoadBalancer(origin) as balancer:
        with raw(balancer.url, ASK) as connection:
            seen(connection, event(1))
        origin.journal.wait(lambda journal: journal.last.happened("left"))


def test_a_deployment_lets_streams_end_and_turns_new_requests_away() -> None:
    with (
        Origin(streaming(0, 0.5, 0.5)) as origin,
        LoadBalancer(origin, speed=100) as balancer,
        raw(balancer.url, ASK) as connection,
    ):
        seen(connection, event(1))
        balancer.deregister()
        refused = httpx.get(balancer.url, trust_env=False)
        assert (refused.status_code, refused.headers["server"]) == (503, "awselb/2.0")
        seen(connection, b"0\r\n\r\n")


def test_the_delay_of_a_deployment_is_the_end_of_what_still_runs() -> None:
    flow = streaming(*[0.02] * 1000)
    with (
        Origin(flow) as origin,
        Origin(echo) as newer,
        LoadBalancer(origin, deregistration_delay=30, speed=100) as balancer,
        raw(balancer.url, ASK) as connection,
    ):
        seen(connection, event(1))
        began = time.monotonic()
        balancer.register(newer)
        assert httpx.get(balancer.url, trust_env=False).status_code == 200
        assert not rest(connection).endswith(b"0\r\n\r\n")
        assert time.monotonic() - began >= 0.3
        (cut,) = balancer.journal[0].of("cut")
    assert cut.detail == "deregistration delay of 30 s"


def test_a_request_without_a_response_when_the_delay_is_up_is_502() -> None:
    with (
        Origin(streaming(late=30.0)) as origin,
        LoadBalancer(origin, deregistration_delay=0) as balancer,
        raw(balancer.url, ASK) as connection,
    ):
        origin.journal.wait(lambda journal: len(journal) == 1)
        balancer.deregister()
        assert seen(connection, b"</html>\r\n").startswith(b"HTTP/1.1 502 Bad Gateway\r\n")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"idle_timeout": 0.5}, "idle_timeout must be 1 to 4000 seconds, not 0.5"),
        ({"idle_timeout": 4001}, "idle_timeout must be 1 to 4000 seconds, not 4001"),
        ({"client_keep_alive": 59}, "client_keep_alive must be 60 to 604800 seconds, not 59"),
        ({"deregistration_delay": 3601}, "deregistration_delay must be 0 to 3600 seconds, not 3601"),
    ],
)
def test_what_cannot_be_set(limits: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        LoadBalancer("http://127.0.0.1:1", **limits)  # type: ignore[arg-type]
