"""Sessions over HTTP/2: both sides speak at once, and each may end it."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from converse_emulator import Emulator, Session
from converse_emulator.framing.eventstream import Decoder, FrameError, Message, encode

from tests.h2_client import H2Client, Stream, h2_client

MODEL = "amazon.nova-2-sonic-v1:0"
HEADERS = ((":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event"))


class Talk:
    """One session of a client; the request stays open until `end`."""

    def __init__(
        self, client: H2Client, session: Session, model: str = MODEL, base: str = "", **headers: str
    ) -> None:
        path = f"/session/{session.name}{base}/model/{model}/invoke-with-bidirectional-stream"
        self.client = client
        self.stream: Stream = client.request(
            path, None, **{"content-type": "application/vnd.amazon.eventstream"}, **headers
        )

    def say(self, name: str, **members: Any) -> None:
        event = base64.b64encode(json.dumps({"event": {name: members}}).encode()).decode()
        self.client.write(self.stream, encode(Message(HEADERS, json.dumps({"bytes": event}).encode())))

    def start(self) -> None:
        self.say("sessionStart")
        self.say("promptStart", promptName="p")

    def ask(self, name: str, text: str) -> None:
        self.say("contentStart", promptName="p", contentName=name, type="TEXT", role="USER", interactive=True)
        self.say("textInput", promptName="p", contentName=name, content=text)
        self.say("contentEnd", promptName="p", contentName=name)

    def end(self) -> None:
        self.say("promptEnd", promptName="p")
        self.say("sessionEnd")
        self.client.write(self.stream, b"", last=True)

    def heard(self) -> list[tuple[str, dict[str, Any]]]:
        """All events and exceptions so far."""
        found = []
        for message in Decoder().feed(bytes(self.stream.body)):
            payload = json.loads(message.payload)
            if "bytes" in payload:
                found += json.loads(base64.b64decode(payload["bytes"]))["event"].items()
            else:
                found.append((str(message.header(":exception-type")), payload))
        return found

    def until(self, name: str, count: int = 1) -> None:
        self.client.until(lambda: [each for each, _ in self.heard()].count(name) >= count)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def session(emulator: Emulator, request: pytest.FixtureRequest) -> Session:
    return emulator.session(request.node.name.replace("[", "-").replace("]", ""))


@contextmanager
def talking(emulator: Emulator, session: Session, **more: str) -> Iterator[Talk]:
    with h2_client(emulator.endpoint_url) as client:
        yield Talk(client, session, **more)


def events_of(session: Session) -> list[Any]:
    """What the journal has of the input."""
    return [event for exchange in session.journal for event in exchange.request["body"]["events"]]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)


def texts(talk: Talk) -> list[str]:
    return [members["content"] for name, members in talk.heard() if name == "textOutput"]


def test_the_model_speaks_while_the_input_is_open(emulator: Emulator, session: Session) -> None:
    session.play([{"text": "One "}, {"gate": "g"}, {"text": "two", "split": "whole"}])
    with talking(emulator, session) as talk:
        talk.start()
        talk.ask("1", "Count")
        talk.until("textOutput")
        assert (talk.stream.status, texts(talk), talk.stream.end) == (200, ["One "], "")
        session.open_gate("g")
        talk.until("completionEnd")
        assert talk.stream.end == ""
        talk.end()
        talk.client.until(lambda: talk.stream.end)
        ends = {talk.stream.end}
    assert ends == {"END_STREAM"}
    assert texts(talk) == ["One ", "two", "One two"]


def test_the_head_comes_before_a_word_is_said(emulator: Emulator, session: Session) -> None:
    """Clients wait for it before they begin."""
    with talking(emulator, session) as talk:
        talk.client.until(lambda: talk.stream.headers)
        assert talk.stream.status == 200
        assert ("content-type", "application/vnd.amazon.eventstream") in talk.stream.headers


def test_replies_go_by_the_users_turns(emulator: Emulator, session: Session) -> None:
    for reply in ("First.", "Second."):
        session.play(reply)
    with talking(emulator, session) as talk:
        talk.start()
        talk.ask("1", "One")
        talk.ask("2", "Two")
        talk.until("completionEnd", 2)
        talk.end()
        talk.client.until(lambda: talk.stream.end)
    (exchange,) = session.journal.wait()
    assert (exchange.text_sent, exchange.ended, exchange.http_version) == ("First.Second.", "finished", "2")
    session.verify()


def test_what_comes_in_is_journaled_when_it_comes(emulator: Emulator, session: Session) -> None:
    session.play([{"gate": "g"}, {"text": "Hi"}])
    with talking(emulator, session) as talk:
        talk.start()
        talk.ask("1", "Hello?")
        talk.say("contentStart", promptName="p", contentName="a", type="AUDIO", role="USER")
        talk.say("audioInput", promptName="p", contentName="a", content="AAAA")
        wait_until(lambda: len(events_of(session)) == 7)
        session.open_gate("g")
        talk.until("completionEnd")
    events = events_of(session)
    assert [name for each in events for name in each["event"]] == [
        "sessionStart",
        "promptStart",
        "contentStart",
        "textInput",
        "contentEnd",
        "contentStart",
        "audioInput",
    ]
    assert events[3]["event"]["textInput"]["content"] == "Hello?"
    assert events[6]["event"]["audioInput"]["content"] == "[4 characters of base64]"
    assert sorted(each["at"] for each in events) == [each["at"] for each in events]


def test_a_tool_is_called_and_its_result_answered_by_itself(emulator: Emulator, session: Session) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    spec = {"name": "weather", "inputSchema": {"json": json.dumps(schema)}}
    with talking(emulator, session) as talk:
        talk.say("sessionStart")
        talk.say("promptStart", promptName="p", toolConfiguration={"tools": [{"toolSpec": spec}]})
        talk.ask("1", "Will it rain?")
        talk.until("usageEvent")
        call = dict(talk.heard())["toolUse"]
        assert (call["toolName"], list(json.loads(call["content"]))) == ("weather", ["city"])
        configuration = {"toolUseId": call["toolUseId"]}
        content = {"promptName": "p", "contentName": "r"}
        talk.say(
            "contentStart", **content, type="TOOL", role="TOOL", toolResultInputConfiguration=configuration
        )
        talk.say("toolResult", **content, content='{"rain": false}')
        talk.say("contentEnd", **content)
        talk.until("completionEnd")
    assert 'weather answered: {"rain": false}' in session.journal.last.text_sent


def test_an_exception_ends_the_session(emulator: Emulator, session: Session) -> None:
    session.play([{"text": "Half a "}, {"throw": "modelStreamErrorException"}])
    with talking(emulator, session) as talk:
        talk.start()
        talk.ask("1", "Hi")
        talk.client.until(lambda: talk.stream.end)
    assert talk.heard()[-1][0] == "modelStreamErrorException"
    assert session.journal.wait()[0].ended == "finished"


@pytest.mark.parametrize(("fault", "end"), [("reset", "INTERNAL_ERROR"), ("hangup", "CANCEL")])
def test_a_session_may_break(emulator: Emulator, session: Session, fault: str, end: str) -> None:
    session.play([{"text": "Half a "}, fault])
    with talking(emulator, session) as talk:
        talk.start()
        talk.ask("1", "Hi")
        talk.client.until(lambda: talk.stream.end)
    assert (talk.stream.end, texts(talk)[:1]) == (end, ["Half "])


def test_a_refusal_is_an_http_error_before_a_word_is_said(emulator: Emulator, session: Session) -> None:
    with talking(emulator, session, base="/scenario/refusals/throttling") as talk:
        talk.client.until(lambda: talk.stream.end)
    assert talk.stream.status == 429
    assert json.loads(talk.stream.body)["message"].startswith("Too many requests")
    assert session.journal.wait()[0].ended == "refused"


def test_an_unknown_model_is_refused(emulator: Emulator, session: Session) -> None:
    with talking(emulator, session, model="nonsense") as talk:
        talk.client.until(lambda: talk.stream.end)
    assert (talk.stream.status, json.loads(talk.stream.body)) == (
        400,
        {"message": "The provided model identifier is invalid."},
    )


def test_input_that_makes_no_sense_is_an_exception_that_says_why(
    emulator: Emulator, session: Session
) -> None:
    with talking(emulator, session) as talk:
        talk.say("promptStart", promptName="p")
        talk.client.until(lambda: talk.stream.end)
    ((name, payload),) = talk.heard()
    assert (name, payload["message"]) == (
        "validationException",
        "The input must begin with sessionStart, not with promptStart.",
    )


def test_a_miss_is_an_exception_and_fails_the_test(emulator: Emulator, session: Session) -> None:
    session.play("Yes", match={"prompt": "something else"})
    with talking(emulator, session) as talk:
        talk.start()
        talk.ask("1", "Hi")
        talk.client.until(lambda: talk.stream.end)
    assert talk.heard()[-1][0] == "validationException"
    with pytest.raises(AssertionError, match="Miss: What is armed next"):
        session.verify()


def test_a_scenario_may_be_for_sessions_only(emulator: Emulator, session: Session) -> None:
    session.play("Yes", match={"operation": "InvokeModelWithBidirectionalStream", "prompt": "hello"})
    with talking(emulator, session) as talk:
        talk.start()
        talk.ask("1", "Hello there")
        talk.until("completionEnd")
    assert session.journal.wait()[0].text_sent == "Yes"
    session.verify()


def test_sessions_have_quotas() -> None:
    with (
        Emulator(quotas="amazon.nova-2-sonic*:concurrent=1") as emulator,
        h2_client(emulator.endpoint_url) as client,
    ):
        first = Talk(client, emulator.session("s"))
        client.until(lambda: first.stream.headers)
        second = Talk(client, emulator.session("s"))
        client.until(lambda: second.stream.end)
    assert (first.stream.status, second.stream.status) == (200, 503)


def test_the_end_of_the_input_ends_the_session(emulator: Emulator, session: Session) -> None:
    with talking(emulator, session) as talk:
        talk.start()
        talk.client.write(talk.stream, b"", last=True)
        talk.client.until(lambda: talk.stream.end)
    assert session.journal.wait()[0].ended == "finished"


@pytest.mark.parametrize("speaking", [False, True])
def test_a_client_that_leaves_is_noticed(emulator: Emulator, session: Session, speaking: bool) -> None:
    session.play([{"gate": "never"}, {"text": "Hi"}])
    with talking(emulator, session) as talk:
        talk.start()
        if speaking:
            talk.ask("1", "Hi")
        talk.client.until(lambda: talk.stream.headers)
    assert session.journal.wait()[0].ended == "client left"


def test_the_same_seed_says_the_same() -> None:
    bodies = []
    for _ in range(2):
        with Emulator(seed=5) as emulator, talking(emulator, emulator.session("s")) as talk:
            talk.start()
            talk.ask("1", "Hi")
            talk.until("completionEnd")
            bodies.append(bytes(talk.stream.body))
    assert bodies[0] == bodies[1]


# ------------------------------------------------------------------------------------------- wrapped


def wrapped(wrap: str) -> dict[str, str]:
    return {"x-converse-wrap": wrap}


def test_a_wrap_slows_each_turn(emulator: Emulator, session: Session) -> None:
    for _ in range(2):
        session.play([{"wait": 0.1}, {"text": "Hello"}])
    with talking(emulator, session, **wrapped("slow=3")) as talk:
        talk.start()
        for turn in ("1", "2"):
            began = time.monotonic()
            talk.ask(turn, "Hi")
            talk.until("completionEnd", int(turn))
            assert time.monotonic() - began >= 0.3
    assert session.journal.last.wrap == "slow=3.0"


def test_a_wrap_jitters_and_throttles_the_bandwidth(emulator: Emulator, session: Session) -> None:
    session.play("Hello")
    session.play("Hello", wrap="bandwidth=4000,jitter=1ms")
    took, size = [], 0
    with talking(emulator, session) as talk:
        talk.start()
        for turn in ("1", "2"):
            began, size = time.monotonic(), len(talk.stream.body)
            talk.ask(turn, "Hi")
            talk.until("completionEnd", int(turn))
            took.append(time.monotonic() - began)
        size = len(talk.stream.body) - size
    assert took[1] >= size / 4000 * 0.95
    assert session.journal.last.text_sent == "HelloHello"


def test_a_wrap_corrupts_a_frame_of_each_turn_and_the_session_goes_on(
    emulator: Emulator, session: Session
) -> None:
    for _ in range(2):
        session.play("Hello")
    with talking(emulator, session, **wrapped("corrupt=2")) as talk:
        talk.start()
        talk.ask("1", "Hi")
        talk.ask("2", "Hi")
        talk.end()
        talk.client.until(lambda: talk.stream.end)
    with pytest.raises(FrameError, match="CRC"):
        talk.heard()
    injected = [act.what for act in session.journal.wait()[0].acts if act.injected]
    assert len(injected) == 2
    assert all("message_crc corrupted" in what for what in injected)


def test_a_wrap_that_cuts_a_turn_ends_the_session(emulator: Emulator, session: Session) -> None:
    session.play("Hello")
    session.play("Never said")
    with talking(emulator, session, **wrapped("cut=0.5,end=reset")) as talk:
        talk.start()
        talk.ask("1", "Hi")
        talk.ask("2", "Hi")
        talk.client.until(lambda: talk.stream.end)
    assert talk.stream.end == "INTERNAL_ERROR"
    assert session.journal.wait()[0].ended == "reset"


def test_a_wrap_throttles_sessions_before_a_word_is_said(emulator: Emulator, session: Session) -> None:
    """A session is one call, whatever its turns."""
    statuses = []
    for _ in range(4):
        with talking(emulator, session, **wrapped("throttle=0.5")) as talk:
            talk.client.until(lambda: talk.stream.headers)
            statuses.append(talk.stream.status)
            if talk.stream.status == 200:
                talk.start()
                talk.ask("1", "Hi")
                talk.ask("2", "Hi")
                talk.end()
            talk.client.until(lambda: talk.stream.end)
    assert statuses == [200, 429, 200, 429]
    told = [(exchange.ended, exchange.instead) for exchange in session.journal]
    assert told == [("finished", None), ("refused", 0)] * 2


def test_what_is_armed_is_not_used_up_by_a_throttled_session(emulator: Emulator, session: Session) -> None:
    session.play("Hello")
    with talking(emulator, session, **wrapped("throttle=1")) as talk:
        talk.client.until(lambda: talk.stream.end)
    assert talk.stream.status == 429
    with talking(emulator, session) as talk:
        talk.start()
        talk.ask("1", "Hi")
        talk.until("completionEnd")
    session.verify()


def test_what_is_armed_for_certain_words_is_chosen_when_they_are_said(
    emulator: Emulator, session: Session
) -> None:
    session.play([{"refuse": "ThrottlingException"}], match={"prompt": "hello"})
    with talking(emulator, session) as talk:
        talk.start()
        talk.ask("1", "hello there")
        talk.client.until(lambda: talk.stream.end)
    assert (talk.stream.status, talk.heard()[-1][0]) == (200, "throttlingException")
    session.verify()
