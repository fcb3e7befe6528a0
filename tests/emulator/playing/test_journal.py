"""The journal and its exchanges: pictures of what happened, without credentials, bounded."""

import asyncio
import json
from collections.abc import Iterable

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.framing.eventstream import Message, encode
from converse_emulator.playing import journal as module
from converse_emulator.playing.acts import Beat, Finish, Head, Hold, Send, Timeline
from converse_emulator.playing.exchange import attempt_of, redacted
from converse_emulator.playing.journal import Journal
from converse_emulator.playing.recording import Recording
from converse_emulator.playing.spoken import text_of_answer, text_of_stream

SIGNED = "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/bedrock/aws4_request, Signature=abc"


def request(session: str = "default", operation: str = "ConverseStream", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(operation, "m", named, {"messages": []}, session)


def opened(journal: Journal, session: str = "default", size: int = 10) -> Recording:
    return journal.open(request(session), size, origin=0.0)


def delta(text: str, padding: str = "abc") -> bytes:
    payload = json.dumps({"contentBlockIndex": 0, "delta": {"text": text}, "p": padding})
    headers = (
        (":event-type", "contentBlockDelta"),
        (":content-type", "application/json"),
        (":message-type", "event"),
    )
    return encode(Message(headers, payload.encode()))


def sends(frames: Iterable[bytes], tokens: int = 1) -> list[Beat]:
    return [Beat(1.0, Send(frame, "contentBlockDelta", tokens)) for frame in frames]


def test_an_exchange_tells_its_request() -> None:
    recording = Journal().open(
        request(
            "tests",
            user_agent="Boto3/1.40",
            amz_sdk_invocation_id="i-1",
            amz_sdk_request="attempt=2; max=5",
            authorization=SIGNED,
        ),
        2,
        origin=5.0,
    )
    exchange = recording.exchange()
    assert (exchange.session, exchange.operation, exchange.model_id) == ("tests", "ConverseStream", "m")
    assert (exchange.invocation_id, exchange.attempt, exchange.user_agent) == ("i-1", 2, "Boto3/1.40")
    assert exchange.request["body"] == {"messages": []}
    assert (exchange.state, exchange.ended, exchange.status) == ("open", None, None)


def test_credentials_never_come_in() -> None:
    headers = {
        "authorization": SIGNED,
        "x-amz-security-token": "IQoJb3Jp",
        "x-api-key": "sk",
        "cookie": "a=b",
        "host": "127.0.0.1",
    }
    assert redacted(headers) == {
        "authorization": "AWS4-HMAC-SHA256 [redacted]",
        "x-amz-security-token": "[redacted]",
        "x-api-key": "[redacted]",
        "cookie": "[redacted]",
        "host": "127.0.0.1",
    }
    assert redacted({"authorization": "Bearer ABSK"}) == {"authorization": "Bearer [redacted]"}
    assert redacted({"authorization": "ABSK"}) == {"authorization": "[redacted]"}


@pytest.mark.parametrize(
    ("header", "attempt"),
    [("attempt=1", 1), ("ttl=2026; attempt=3; max=5", 3), ("max=3", None), (None, None)],
)
def test_the_attempt_is_the_sdks_own_count(header: str | None, attempt: int | None) -> None:
    assert attempt_of({"amz-sdk-request": header} if header else {}) == attempt


def test_an_exchange_tells_what_was_done_and_when() -> None:
    recording = opened(Journal())
    recording.chosen("text/hello", "marker", "7:default:text/hello:0")
    recording.planned(Timeline((), tokens=5))
    recording.performed([Beat(0.5, Head(200, ()))], 0, 1, 0.51)
    recording.performed(sends([delta("Hel"), delta("lo")]), 0, 2, 1.02)
    recording.performed([Beat(2.0, Hold(), injected=True)], 0, 1, 2.1)
    exchange = recording.exchange()
    assert (exchange.scenario, exchange.chosen_by) == ("text/hello", "marker")
    assert exchange.seed == "7:default:text/hello:0"
    assert [(act.planned, act.injected) for act in exchange.acts] == [
        (0.5, False),
        (1.0, False),
        (1.0, False),
        (2.0, True),
    ]
    assert [act.actual for act in exchange.acts] == pytest.approx([0.51, 1.02, 1.02, 2.1], abs=1e-6)
    assert exchange.acts[1].what == f"send {len(delta('Hel'))} B (contentBlockDelta)"
    assert [(act.bytes, act.tokens) for act in exchange.acts[1:]] == [
        (len(delta("Hel")), 1),
        (len(delta("lo")), 1),
        (0, 0),
    ]
    assert (exchange.status, exchange.tokens_sent, exchange.tokens_unsent) == (200, 2, 3)
    assert exchange.text_sent == "Hello"
    assert json.loads(json.dumps(exchange.as_json()))["acts"][0]["what"] == "head 200"


def test_a_picture_does_not_change() -> None:
    recording = opened(Journal())
    before = recording.exchange()
    recording.performed(sends([delta("x")]), 0, 1, 1.0)
    recording.ended("finished", 1.0)
    assert (before.acts, before.state) == ((), "open")


def test_what_is_said_first_of_the_end_holds() -> None:
    recording = opened(Journal())
    recording.ended("stopped", 1.0)
    recording.ended("client left", 2.0)
    assert (recording.exchange().ended, recording.exchange().ended_at) == ("stopped", 1.0)


def test_the_text_sent_ends_where_no_client_can_read_on() -> None:
    broken = bytearray(delta("b"))
    broken[-1] ^= 1
    assert text_of_stream([delta("a"), bytes(broken), delta("c")]) == "a"
    assert text_of_stream([delta("a"), delta("b")[:20]]) == "a"
    assert text_of_stream([b"".join([delta("ä"), delta("🎉")])]) == "ä🎉"


@pytest.mark.parametrize("payload", [b"[]", b"{}", b'{"delta": 1}', b'{"delta": {"text": 1}}', b"no json"])
def test_odd_events_have_no_text(payload: bytes) -> None:
    assert text_of_stream([encode(Message(((":event-type", "contentBlockDelta"),), payload))]) == ""


def test_the_text_of_a_whole_answer() -> None:
    message = {"role": "assistant", "content": [{"text": "Hel"}, {"toolUse": {}}, {"text": "lo"}]}
    answer = json.dumps({"output": {"message": message}}).encode()
    assert text_of_answer([answer[:9], answer[9:]]) == "Hello"
    assert text_of_answer([answer[:-1]]) == ""
    assert text_of_answer([b'{"message":"Too many requests"}']) == ""
    recording = Journal().open(request(operation="Converse"), 1, origin=0.0)
    recording.performed([Beat(0, Head(200, ())), *sends([answer])], 0, 2, 0.1)
    assert recording.exchange().text_sent == "Hello"


def test_exchanges_are_found_by_session_and_id() -> None:
    journal = Journal()
    for session in ("a", "b", "a"):
        opened(journal, session)
    assert [each.id for each in journal.recordings()] == [1, 2, 3]
    assert [each.id for each in journal.recordings("a")] == [1, 3]
    assert [each.id for each in journal.recordings(after=1)] == [2, 3]
    assert [each.id for each in journal.recordings("a", after=1)] == [3]


def test_the_oldest_is_dropped_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_EXCHANGES", 3)
    journal = Journal()
    for _ in range(5):
        opened(journal)
    assert [each.id for each in journal.recordings()] == [3, 4, 5]


def test_large_requests_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    journal = Journal()
    for size in (60, 60, 500, 10):
        opened(journal, size=size)
        assert journal.recordings()[-1].size == size
    assert [each.size for each in journal.recordings()] == [10]


def test_large_responses_are_bounded_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    journal = Journal()
    for _ in range(2):
        opened(journal).planned(Timeline((*sends([bytes(30), bytes(30)]), Beat(1, Finish())), 0))
    assert [each.id for each in journal.recordings()] == [2]


def test_forgetting_a_session_leaves_the_others_and_the_ids_go_on() -> None:
    journal = Journal()
    opened(journal, "a")
    opened(journal, "b")
    journal.forget("a")
    assert [each.id for each in journal.recordings()] == [2]
    journal.forget()
    assert journal.recordings() == []
    assert opened(journal).id == 3


def test_waiting_ends_when_an_exchange_does() -> None:
    async def wait() -> bool:
        journal = Journal()
        waiting = asyncio.create_task(
            journal.wait(lambda: any(each.done for each in journal.recordings()), patience=30)
        )
        await asyncio.sleep(0)
        recording = opened(journal)
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiting.done()
        recording.performed([Beat(0, Finish())], 0, 1, 0.0)
        recording.ended("finished", 0.0)
        return await asyncio.wait_for(waiting, 5)

    assert asyncio.run(wait())


def test_waiting_has_an_end() -> None:
    assert not asyncio.run(Journal().wait(lambda: False, patience=0.01))
    assert asyncio.run(Journal().wait(lambda: True, patience=0.0))


def test_closing_stops_what_is_open_and_all_waiting() -> None:
    async def close() -> Recording:
        journal = Journal()
        recording = opened(journal)
        waiting = asyncio.create_task(journal.wait(lambda: False, patience=30))
        await asyncio.sleep(0)
        journal.close(now=9.0)
        assert not await asyncio.wait_for(waiting, 5)
        return recording

    exchange = asyncio.run(close()).exchange()
    assert (exchange.ended, exchange.ended_at) == ("stopped", 9.0)
