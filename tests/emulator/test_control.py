"""The control routes over real sockets: what they do, and whom they refuse."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.request import urlopen

import pytest
from converse_emulator import Emulator
from converse_emulator.control import foreign

STREAM = "/model/amazon.nova-micro-v1:0/converse-stream"
HI = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture(autouse=True)
def _forgotten(emulator: Emulator) -> Iterator[None]:
    yield
    emulator.reset()


def call(emulator: Emulator, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
    address = emulator.endpoint_url.removeprefix("http://")
    with closing(http.client.HTTPConnection(address, timeout=30)) as connection:
        raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        connection.request(method, path, raw, headers)
        response = connection.getresponse()
        content = response.read()
        is_json = response.headers["Content-Type"] == "application/json"
        return response.status, json.loads(content) if is_json else None


def get(emulator: Emulator, path: str) -> Any:
    status, answer = call(emulator, "GET", f"/_emulator/{path}")
    assert status == 200
    return answer


def post(emulator: Emulator, path: str, body: object) -> Any:
    status, answer = call(emulator, "POST", f"/_emulator/{path}", body)
    assert status == 200, answer
    return answer


def ask(emulator: Emulator, base: str = "") -> None:
    call(emulator, "POST", base + STREAM, HI)


def test_health(emulator: Emulator) -> None:
    health = get(emulator, "health")
    assert health == {
        "status": "ok",
        "seed": "0",
        "speed": 1.0,
        "timing": {"writes": 0, "p50_ms": 0.0, "p99_ms": 0.0},
    }


def test_the_emulator_tells_how_late_its_own_writes_are(emulator: Emulator) -> None:
    emulator.play([{"text": "one two three four", "every": "100ms", "split": "words"}])
    messages = [{"role": "user", "content": [{"text": "Hi"}]}]
    stream = emulator.client().converse_stream(modelId="amazon.nova-lite-v1:0", messages=messages)
    list(stream["stream"])
    timing = get(emulator, "health")["timing"]
    assert 1 <= timing["writes"] <= 3  # the first was due at once, and what is overdue is one write
    assert 0 < timing["p50_ms"] <= timing["p99_ms"] < 5000
    for path in ("/metrics", "/_emulator/metrics"):
        with urlopen(emulator.endpoint_url + path, timeout=30) as response:
            assert response.headers["Content-Type"].startswith("text/plain; version=")
            told = response.read().decode()
        assert f'converse_emulator_write_lateness_seconds_bucket{{le="+Inf"}} {timing["writes"]}.0' in told
        assert "converse_emulator_exchanges_total 1.0" in told
        assert "converse_emulator_open_exchanges 0.0" in told


def test_the_scenarios_are_listed(emulator: Emulator) -> None:
    listed = get(emulator, "scenarios")["scenarios"]
    assert len(listed) >= 40
    assert {"name", "title", "handlers"} == set(listed[0])
    assert [each["name"] for each in listed] == sorted(each["name"] for each in listed)


def test_a_scenario_is_told_with_what_it_sends(emulator: Emulator) -> None:
    scenario = get(emulator, "scenarios/truncation/clean-end")
    assert scenario["name"] == "truncation/clean-end"
    (reply,) = scenario["replies"]
    assert reply[0]["what"] == "head 200"
    assert reply[-1] == {"at": reply[-1]["at"], "what": "finish", "injected": True}


def test_an_unknown_scenario_is_not_found(emulator: Emulator) -> None:
    status, answer = call(emulator, "GET", "/_emulator/scenarios/truncation/clean-edn")
    assert status == 404
    assert "truncation/clean-end" in answer["error"]


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ({"reply": "Hello"}, "Hello"),
        ({"reply": [{"text": "Hel"}, {"text": "lo"}, "finish"]}, "Hello"),
        ({"replies": ["Hello", "Bye"]}, "Hello"),
        ({"reply": "Hello", "match": {"prompt": "hi"}}, "Hello"),
        ({"scenario": "truncation/clean-end", "match": {"operation": "ConverseStream"}}, "Your subscription"),
    ],
)
def test_what_is_armed_is_answered(emulator: Emulator, what: dict[str, object], text: str) -> None:
    armed = post(emulator, "arm", {"session": "tests", **what})
    assert armed["session"] == "tests"
    ask(emulator, "/session/tests")
    assert emulator.journal.wait()[-1].text_sent.startswith(text)
    assert emulator.journal.last.chosen_by == "armed"


def test_without_a_session_it_is_the_default_one(emulator: Emulator) -> None:
    assert post(emulator, "arm", {"reply": "Hello"})["session"] == "default"
    ask(emulator)
    assert emulator.journal.wait()[-1].text_sent == "Hello"


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ({}, 400),
        ({"reply": [{"tekst": "Hello"}]}, 400),
        ({"reply": "Hello", "scenario": "text/short-answer"}, 400),
        ({"scenario": "text/short-answer", "reply": "Hello"}, 400),
        ({"scenario": "text/short-answer", "other": 1}, 400),
        ({"scenario": 5}, 400),
        ({"scenario": "no/such"}, 404),
        ({"scenario": "/etc/passwd.yaml"}, 404),
        ({"session": "", "reply": "Hello"}, 400),
        ({"session": 1, "reply": "Hello"}, 400),
        (b"{", 400),
        (b"[]", 400),
    ],
)
def test_what_cannot_be_armed_is_explained(emulator: Emulator, what: object, status: int) -> None:
    got, answer = call(emulator, "POST", "/_emulator/arm", what)
    assert (got, list(answer)) == (status, ["error"])
    assert answer["error"]


def test_gates_are_opened_and_listed(emulator: Emulator) -> None:
    post(emulator, "arm", {"session": "tests", "reply": [{"text": "A"}, {"gate": "one"}, {"text": "B"}]})
    asking = threading.Thread(target=ask, args=[emulator, "/session/tests"])
    asking.start()
    try:
        while asking.is_alive() and not get(emulator, "gates?session=tests")["gates"]:
            time.sleep(0.01)
        assert get(emulator, "gates?session=tests") == {"gates": [{"name": "one", "waiting": 1, "opened": 0}]}
        assert emulator.journal.last.text_sent == "A"
        assert get(emulator, "gates") == {"gates": []}
    finally:
        assert post(emulator, "gates/open", {"session": "tests", "name": "one"})["opened"] == "one"
        asking.join(30)
    assert emulator.journal.wait()[-1].text_sent == "AB"


@pytest.mark.parametrize("what", [{}, {"name": ""}, {"name": 1}, {"session": 1, "name": "a"}])
def test_a_gate_has_a_name(emulator: Emulator, what: object) -> None:
    assert call(emulator, "POST", "/_emulator/gates/open", what)[0] == 400


def test_the_journal_is_filtered(emulator: Emulator) -> None:
    for session in ("a", "b", "a"):
        ask(emulator, f"/session/{session}")
    exchanges = get(emulator, "journal")["exchanges"]
    assert [each["session"] for each in exchanges] == ["a", "b", "a"]
    assert {"id", "acts", "state", "ended", "text_sent", "request"} <= set(exchanges[0])
    first = exchanges[0]["id"]
    of_a = get(emulator, f"journal?session=a&after={first}")["exchanges"]
    assert [each["id"] for each in of_a] == [first + 2]


def test_waiting_for_the_journal_ends_with_the_exchange(emulator: Emulator) -> None:
    post(emulator, "arm", {"session": "tests", "reply": [{"gate": "one"}, {"text": "A"}]})
    asking = threading.Thread(target=ask, args=[emulator, "/session/tests"])
    opening = threading.Timer(0.2, post, [emulator, "gates/open", {"session": "tests", "name": "one"}])
    asking.start()
    opening.start()
    (exchange,) = get(emulator, "journal?session=tests&wait=60")["exchanges"]
    assert (exchange["state"], exchange["text_sent"]) == ("done", "A")
    opening.join()
    asking.join(30)


def test_waiting_for_the_journal_has_an_end(emulator: Emulator) -> None:
    began = time.monotonic()
    assert get(emulator, "journal?session=nobody&wait=0.1")["exchanges"] == []
    assert time.monotonic() - began >= 0.1


@pytest.mark.parametrize("query", ["after=x", "wait=-1", "wait=nan", "wait=inf"])
def test_numbers_are_numbers(emulator: Emulator, query: str) -> None:
    assert call(emulator, "GET", f"/_emulator/journal?{query}")[0] == 400


def test_a_session_is_reset_or_all(emulator: Emulator) -> None:
    for session in ("a", "b", "c"):
        ask(emulator, f"/session/{session}")
        post(emulator, "arm", {"session": session, "reply": "Hello"})
        post(emulator, "gates/open", {"session": session, "name": "g"})
    post(emulator, "reset", {"session": "a"})
    emulator.session("a").verify()
    assert get(emulator, "gates?session=a") == {"gates": []}
    assert [each["session"] for each in get(emulator, "journal")["exchanges"]] == ["b", "c"]
    post(emulator, "reset", {})
    emulator.session("b").verify()
    assert get(emulator, "gates?session=b") == {"gates": []}
    assert get(emulator, "journal") == {"exchanges": [], "outages": []}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "nothing", 404), ("GET", "", 404), ("GET", "arm", 405), ("POST", "journal", 405)],
)
def test_other_paths_and_methods_are_refused(emulator: Emulator, method: str, path: str, status: int) -> None:
    got, answer = call(emulator, method, f"/_emulator/{path}")
    assert (got, list(answer)) == (status, ["error"])


# --------------------------------------------------------------------------------- whom they refuse


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:80", "127.0.0.1:8080", "127.9.9.9", "[::1]:80", "emulator:8080", "10.0.0.5"],
)
def test_the_machine_itself_is_welcome(host: str) -> None:
    own = {"emulator", "10.0.0.5"}
    assert foreign({"host": host}, own) is None
    assert foreign({"host": host, "origin": f"http://{host}"}, own) is None


@pytest.mark.parametrize(
    "host",
    ["", "example.com", "example.com:8080", "127.0.0.1.example.com", "localhost.example.com", "10.0.0.5"],
)
def test_a_name_that_was_made_to_point_here_is_refused(host: str) -> None:
    assert foreign({"host": host}, {"127.0.0.1"})


@pytest.mark.parametrize(
    "origin", ["http://example.com", "null", "http://localhost:9999", "https://localhost:80", ""]
)
def test_the_page_of_another_origin_is_refused(origin: str) -> None:
    assert foreign({"host": "localhost:80", "origin": origin}, set())


def test_refusals_are_403(emulator: Emulator) -> None:
    for headers in ({"Host": "example.com"}, {"Origin": "http://example.com"}):
        status, answer = call(emulator, "POST", "/_emulator/reset", {}, **headers)
        assert (status, list(answer)) == (403, ["error"])
