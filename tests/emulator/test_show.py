"""Listings for people."""

import pytest
from converse_emulator.framing.eventstream import Message, encode
from converse_emulator.language.library import Library
from converse_emulator.language.loader import scenario_from
from converse_emulator.playing.exchange import Exchange, Performed
from converse_emulator.show import EXAMPLE_MODEL, BadFrame, exchange_text, frame_lines, scenario_text

HI = {"text": "Hi"}


def shown(what: dict[str, object], operation: str = "ConverseStream") -> list[str]:
    scenario = scenario_from({"title": "T.", "handlers": "H.", **what}, name="n")
    return scenario_text(scenario, seed="0", model_id=EXAMPLE_MODEL, operation=operation).splitlines()


def frame(name: str, payload: bytes, kind: str = "event", **more: str) -> bytes:
    headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind, **more}
    return encode(Message(tuple(headers.items()), payload))


def test_a_scenario_is_shown_with_what_is_sent_when() -> None:
    lines = shown({"reply": [{"wait": 1.5}, {"text": "Hi"}, {"throw": "throttlingException"}]})
    assert lines[:3] == ["n", "  T.", "  A good handler: H."]
    assert lines[4] == "reply 1 of 1, 1 tokens"
    assert lines[5] == "  +1.500 s  head 200"
    assert lines[7].endswith('(contentBlockDelta)  {"contentBlockIndex":0,"delta":{"text":"Hi"}}')
    assert "(throttlingException)  [injected]  {" in lines[8]
    assert lines[9] == "  +1.500 s  finish  [injected]"


def test_native_chunks_are_shown_as_what_is_in_them() -> None:
    chunks = str(shown({"reply": "Hi"}, "InvokeModelWithResponseStream"))
    assert '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}' in chunks
    assert '{"id":"msg_bdrk_01' in "".join(shown({"reply": "Hi"}, "InvokeModel"))


def test_all_replies_are_shown() -> None:
    lines = shown({"replies": ["A", "B", [{"refuse": "ThrottlingException"}]]})
    assert [line for line in lines if line.startswith("reply ")] == [
        "reply 1 of 3, 1 tokens",
        "reply 2 of 3, 1 tokens",
        "reply 3 of 3, 0 tokens",
    ]
    assert "  +0.000 s  head 429  [injected]" in lines


def test_broken_frames_are_shown_without_a_payload() -> None:
    (corrupted,) = (
        line for line in shown({"reply": [{"corrupt": "message_crc"}, HI]}) if "corrupted" in line
    )
    assert corrupted.rstrip().endswith("[injected]")
    (cut,) = (line for line in shown({"reply": [{"cut": 5}, HI]}) if "send 5 B" in line)
    assert cut.rstrip().endswith("[injected]")


def test_a_whole_answer_is_shown_as_json() -> None:
    (line,) = (line for line in shown({"reply": "Hi"}, "Converse") if "send" in line)
    assert '{"metrics":' in line
    assert line.endswith("…")


def test_every_packaged_scenario_can_be_shown() -> None:
    library = Library()
    for name in library.names():
        for operation in ("ConverseStream", "Converse"):
            text = scenario_text(library.get(name), seed="0", model_id=EXAMPLE_MODEL, operation=operation)
            assert text.startswith(name)


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
    told = exchange(scenario="text/gated", attempt=2, state="done", ended="client left")
    assert exchange_text(told.as_json()).splitlines() == [
        "#7 ConverseStream m",
        "  session tests, attempt 2 · text/gated · client left",
        "  +0.512 s (planned 0.500)  head 200",
        "  +1.000 s (planned 1.000)  finish  [injected]",
        "  1 tokens sent, 2 not sent",
    ]


def test_an_exchange_without_a_scenario_says_why() -> None:
    lines = exchange_text(exchange(miss="Nothing is left.", acts=()).as_json()).splitlines()
    assert lines[1:3] == ["  session tests · no scenario · open", "  missed: Nothing is left."]
