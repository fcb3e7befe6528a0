"""How bytes of the body come: in which chunks, and when."""

import gzip
import json
from typing import Any

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.framing.eventstream import Decoder
from converse_emulator.language.loader import reply_from
from converse_emulator.playing.acts import Finish, Head, Hold, Send, Timeline
from converse_emulator.spelling.timeline import SHORTEST, compile_reply

REQUEST = Request("ConverseStream", "anthropic.claude-3-haiku-20240307-v1:0", {}, {"messages": []})
TEXT = {"text": "Grüße an dich 你好", "every": "1s", "split": "words"}


def compiled(*steps: Any, operation: str = "ConverseStream", speed: float = 1.0) -> Timeline:
    request = Request(operation, REQUEST.model_id, {}, REQUEST.body)
    return compile_reply(reply_from(list(steps)), request, seed="0", now=0, speed=speed)


def sends(timeline: Timeline) -> list[tuple[float, Send]]:
    return [(beat.at, beat.act) for beat in timeline.beats if isinstance(beat.act, Send)]


def body(timeline: Timeline) -> bytes:
    return b"".join(send.data for _, send in sends(timeline))


USUAL = body(compiled(TEXT))


@pytest.mark.parametrize("operation", ["ConverseStream", "Converse"])
@pytest.mark.parametrize(
    "step",
    [
        {"chunks": "due"},
        {"chunks": "frames"},
        {"chunks": "code_points"},
        {"chunks": 1},
        {"chunks": 1000},
        {"chunks": 1_000_000},
        {"drip": {"bytes": 7, "every": "10ms"}},
    ],
)
def test_the_bytes_and_the_tokens_stay_the_same(step: Any, operation: str) -> None:
    usual, changed = compiled(TEXT, operation=operation), compiled(step, TEXT, operation=operation)
    assert body(changed) == body(usual)
    tokens = sum(send.tokens for _, send in sends(changed))
    assert tokens == sum(send.tokens for _, send in sends(usual)) == changed.tokens
    assert all(send.shape is None for _, send in sends(changed))


def test_what_is_due_together_may_be_joined_and_single_frames_may_not() -> None:
    assert not any(send.alone for _, send in sends(compiled({"chunks": "due"}, TEXT)))
    frames = sends(compiled({"chunks": "frames"}, TEXT))
    assert all(send.alone for _, send in frames)
    assert [len(Decoder().feed(send.data)) for _, send in frames] == [1] * len(frames)


def test_chunks_of_a_size_come_when_they_are_full() -> None:
    chunks = sends(compiled({"chunks": 300}, TEXT))
    assert [len(send.data) for _, send in chunks[:-1]] == [300] * (len(chunks) - 1)
    filled, usual = 0, sends(compiled(TEXT))
    for at, send in chunks:
        filled += len(send.data)
        arrived = 0
        for due, frame in usual:
            arrived += len(frame.data)
            if arrived >= filled:
                assert at == due
                break


def test_code_points_are_cut_in_their_middle() -> None:
    chunks = [send.data for _, send in sends(compiled({"chunks": "code_points"}, TEXT))]
    leads = {each.encode()[:1] for each in "üß你好"}
    assert sum(chunk[-1:] in leads for chunk in chunks) >= len("üß你好")


def test_chunks_hold_from_where_they_stand() -> None:
    chunks = sends(compiled({"text": "a b", "split": "words"}, {"chunks": 1}, {"text": " c"}))
    assert [len(send.data) == 1 for _, send in chunks[:4]] == [False, False, False, True]


def test_a_drip_takes_its_time_and_what_follows_waits() -> None:
    timeline = compiled({"drip": {"bytes": 1, "every": "1s"}}, {"text": "Hi", "split": "whole"})
    moments = [at for at, _ in sends(timeline)]
    assert moments == sorted(moments)
    size = len(body(timeline))
    assert size - 10 < moments[-1] <= size
    assert timeline.beats[-1].at == moments[-1]


def test_a_drip_may_begin_at_a_place() -> None:
    timeline = compiled({"text": "a b", "split": "words"}, {"drip": {"every": "1s"}, "at": "messageStop"})
    assert [len(send.data) == 1 for _, send in sends(timeline)[:6]] == [False] * 4 + [True] * 2


# ---------------------------------------------------------------------------------------- the head


def head(timeline: Timeline) -> dict[str, str]:
    (found,) = (beat.act for beat in timeline.beats if isinstance(beat.act, Head))
    return {":status": str(found.status), **dict(found.headers)}


@pytest.mark.parametrize(
    ("length", "told"),
    [("exact", len(USUAL)), ("too_long", len(USUAL) + 10), ("too_short", len(USUAL) - 10), (5, 5)],
)
def test_a_length_that_is_told_stands_where_the_framing_stood(length: Any, told: int) -> None:
    names = list(head(compiled({"head": {"length": length}}, TEXT)).items())
    assert names[3] == ("Content-Length", str(told))
    assert "Transfer-Encoding" not in dict(names)


def test_a_blocking_response_may_be_chunked() -> None:
    names = head(compiled({"head": {"length": "chunked"}}, TEXT, operation="Converse"))
    assert names["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in names


def test_status_and_headers() -> None:
    says = {"status": 307, "headers": {"content-type": "x", "Location": "/"}}
    told = head(compiled({"head": says}, "finish"))
    assert told[":status"] == "307"
    assert told["content-type"] == "x"
    assert "Content-Type" not in told
    assert list(told)[-1] == "Location"


@pytest.mark.parametrize("operation", ["ConverseStream", "Converse"])
def test_gzip(operation: str) -> None:
    step = {"head": {"encoding": "gzip", "length": "exact"}}
    timeline = compiled(step, TEXT, operation=operation)
    assert gzip.decompress(body(timeline)) == body(compiled(TEXT, operation=operation))
    told = head(timeline)
    assert (told["Content-Encoding"], told["Content-Length"]) == ("gzip", str(len(body(timeline))))


def test_of_a_compressed_body_every_frame_can_be_read_when_it_comes() -> None:
    import zlib

    reader, decoder = zlib.decompressobj(31), Decoder()
    timeline = compiled({"head": {"encoding": "gzip"}}, TEXT)
    frames = [len(decoder.feed(reader.decompress(send.data))) for _, send in sends(timeline)]
    assert frames == [1] * (len(frames) - 1) + [0]


# ------------------------------------------------------------------------------------- what never ends


@pytest.mark.parametrize("operation", ["ConverseStream", "Converse"])
def test_a_trickle_before_the_head(operation: str) -> None:
    (beat,) = compiled({"trickle": {"send": "interim", "every": "2s"}}, operation=operation).beats
    assert beat.act == Hold(Head(100, ()), 2.0)


@pytest.mark.parametrize("what", ["event", "text", "byte"])
def test_a_trickle_after_the_text(what: str) -> None:
    timeline = compiled({"text": "Hi"}, {"trickle": what})
    end = timeline.beats[-1].act
    assert isinstance(end, Hold)
    assert isinstance(end.act, Send)
    decoder = Decoder()
    before = len(decoder.feed(body(timeline)))
    after = sum(len(decoder.feed(end.act.data)) for _ in range(5))
    assert (before, after) == (2, 0 if what == "byte" else 5)


def test_a_trickle_into_a_blocking_body() -> None:
    timeline = compiled({"trickle": "byte"}, operation="Converse")
    assert head(timeline)["Content-Length"] == str(2**31)
    assert timeline.beats[-1].act == Hold(Send(b" ", "a space"), 1.0)


def test_a_trickle_is_scaled_but_never_to_nothing() -> None:
    end = compiled({"trickle": "event"}, speed=10).beats[-1].act
    assert isinstance(end, Hold)
    assert end.every == 0.1
    fastest = compiled({"trickle": "event"}, speed=float("inf")).beats[-1].act
    assert isinstance(fastest, Hold)
    assert fastest.every == SHORTEST


def test_interim_responses_come_first() -> None:
    beats = compiled({"interim": 100}, {"wait": "1s"}, {"interim": 103}, {"text": "Hi"}).beats
    told = [(beat.at, beat.act.status) for beat in beats if isinstance(beat.act, Head)]
    assert told == [(0, 100), (1, 103), (1, 200)]
    assert isinstance(beats[-1].act, Finish)


def test_an_error_page_is_a_head_and_bytes() -> None:
    page = "<html>Bad Gateway</html>"
    says = {"status": 502, "headers": {"Content-Type": "text/html"}, "length": "exact"}
    timeline = compiled({"head": says}, {"bytes": page})
    assert body(timeline) == page.encode()
    assert head(timeline)["Content-Length"] == str(len(page))
    assert all(beat.injected for beat in timeline.beats if isinstance(beat.act, Send))


def test_a_dropped_event_is_no_part_of_a_blocking_answer() -> None:
    dropped = {"drop": None, "at": {"event": "text", "number": 2}}
    timeline = compiled({"text": "a b", "split": "words"}, dropped, operation="Converse")
    assert json.loads(body(timeline))["output"]["message"]["content"] == [{"text": "a "}]
