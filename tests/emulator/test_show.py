"""Listings for people."""

import pytest
from converse_emulator.framing.eventstream import Message, encode
from converse_emulator.playing.exchange import Exchange, Performed
from converse_emulator.show import BadFrame, exchange_text, frame_lines, journal_texts, outage_text


def frame(name: str, payload: bytes, kind: str = "event", **more: str) -> bytes:
    headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind, **more}
    return encode(Message(tuple(headers.items()), payload))


# ---------------------------------------------------------------------------------------------- decode


def test_frames_are_listed_with_their_offsets() -> None:
    first = frame("messageStart", b'{"role":"assistant"}')
    second = frame("throttlingException", '{"message":"für"}'.encode(), "exception")
    third = encode(Message(((":message-type", "error"), (":error-code", "500"))))
    assert list(frame_lines(first + second + third)) == [
        f'0x00000000  {len(first):5} B  event  messageStart  {{"role":"assistant"}}',
        f'0x{len(first):08x}  {len(second):5} B  exception  throttlingException  {{"message":"für"}}',
        f"0x{len(first + second):08x}  {len(third):5} B  error  500  :error-code='500'  ",
    ]


def test_a_message_may_be_odd() -> None:
    (line,) = frame_lines(encode(Message((), b"\xff")))
    assert line.endswith("no :message-type  unnamed  \\xff")


@pytest.mark.parametrize(
    ("damage", "says"),
    [(lambda good: good[:-1], "ends after"), (lambda good: good[:-1] + b"\0", "message CRC")],
)
def test_a_bad_frame_is_named_by_its_offset(damage: object, says: str) -> None:
    good = frame("messageStart", b"{}")
    assert callable(damage)
    lines = frame_lines(good + damage(frame("messageStop", b"{}x")))
    assert next(lines).startswith("0x00000000")
    with pytest.raises(BadFrame, match=f"^0x{len(good):08x}  .*{says}"):
        next(lines)


# --------------------------------------------------------------------------------------------- journal


def exchange(**changes: object) -> Exchange:
    told: dict[str, object] = {
        "id": 7,
        "session": "tests",
        "operation": "ConverseStream",
        "model_id": "m",
        "invocation_id": None,
        "attempt": None,
        "user_agent": "",
        "http_version": "1.1",
        "request": {},
        "scenario": None,
        "chosen_by": None,
        "instead": None,
        "wrap": None,
        "seed": "",
        "started_at": 0.0,
        "status": 200,
        "acts": (Performed(0.5, 0.512, "head 200", False, 0, 0), Performed(1, 1, "finish", True, 0, 0)),
        "state": "open",
        "ended": None,
        "ended_at": None,
        "tokens_sent": 1,
        "tokens_unsent": 2,
        "text_sent": "",
        "miss": None,
    }
    return Exchange(**(told | changes))  # type: ignore[arg-type]


def test_an_exchange_is_told_in_lines() -> None:
    told = exchange(
        scenario="text/gated", attempt=2, instead=1, wrap="slow=2.0", state="done", ended="client left"
    )
    assert exchange_text(told.as_json()).splitlines() == [
        "#7 ConverseStream m",
        "  session tests, attempt 2 · text/gated, instead 1, slow=2.0 · client left",
        "  +0.512 s (planned 0.500)  head 200",
        "  +1.000 s (planned 1.000)  finish  [injected]",
        "  1 tokens sent, 2 not sent",
    ]


def test_an_exchange_without_a_scenario_says_why() -> None:
    lines = exchange_text(exchange(miss="Nothing is left.", acts=()).as_json()).splitlines()
    assert lines[1:3] == ["  session tests · no scenario · open", "  missed: Nothing is left."]


def outage(**changes: object) -> dict[str, object]:
    connections = [{"at": 0.25, "peer": "127.0.0.1:50000", "what": "cut"}]
    told = {
        "how": "reset",
        "started_at": 1.5,
        "ended_at": 61.5,
        "cut": 1,
        "met": 3,
        "connections": connections,
    }
    return told | changes


def test_an_outage_is_told_in_lines() -> None:
    assert outage_text(outage()).splitlines() == [
        "outage reset, 00:00:01.500 to 00:01:01.500 UTC · 1 connection cut · 3 came",
        "  +0.250 s  127.0.0.1:50000  cut",
    ]
    (line,) = outage_text(outage(how="refuse", ended_at=None, met=None, connections=[])).splitlines()
    assert line == (
        "outage refuse, 00:00:01.500 to now UTC · 1 connection cut · nobody listened, so who came is unknown"
    )


def test_exchanges_and_outages_are_told_as_they_began() -> None:
    told = [exchange(id=number, started_at=float(number)).as_json() for number in (1, 2)]
    assert [text.split()[0] for text in journal_texts(told, [outage()])] == ["#1", "outage", "#2"]
