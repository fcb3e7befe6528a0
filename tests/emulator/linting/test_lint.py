"""Every rule of the wire holds for the emulator, and is found broken in a body that breaks only it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from converse_emulator import Emulator
from converse_emulator.cli import main
from converse_emulator.framing.eventstream import Message, encode
from converse_emulator.framing.frames import event_frame, exception_frame
from converse_emulator.language.scenario import Json
from converse_emulator.linting.lint import judge_body, judge_endpoint, report
from converse_emulator.linting.wire_rules import RULES

USAGE = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"


def frame(event_type: str, padding: int | None = 9, **body: Json) -> bytes:
    return event_frame(event_type, body, padding)


def delta(index: int = 0, **member: Json) -> bytes:
    return frame("contentBlockDelta", contentBlockIndex=index, delta=member)


START = frame("messageStart", role="assistant")
TEXT = delta(text="Hi")
STOP = frame("contentBlockStop", contentBlockIndex=0)
END = frame("messageStop", stopReason="end_turn")
METADATA = frame("metadata", metrics={"latencyMs": 7}, usage=USAGE)
GOOD = (START, TEXT, STOP, END, METADATA)


def raw(payload: bytes, *, content_type: str = "application/json") -> bytes:
    """A text delta's frame with any payload."""
    headers = (
        (":event-type", "contentBlockDelta"),
        (":content-type", content_type),
        (":message-type", "event"),
    )
    return encode(Message(headers, payload))


def padded(member: Json) -> bytes:
    return json.dumps(
        {"contentBlockIndex": 0, "delta": {"text": "Hi"}, "p": member}, separators=(",", ":")
    ).encode()


BROKEN: dict[str, tuple[bytes, int]] = {
    "frame-crc": (START + TEXT[:-1] + b"\0" + STOP + END + METADATA, len(START)),
    "frame-whole": (b"".join(GOOD) + START[:20], len(b"".join(GOOD))),
    "frame-headers": (
        START
        + encode(
            Message(
                (
                    (":message-type", "event"),
                    (":event-type", "contentBlockDelta"),
                    (":content-type", "application/json"),
                ),
                padded("abc"),
            )
        )
        + STOP
        + END
        + METADATA,
        len(START) + 12,
    ),
    "content-type": (
        START + raw(padded("abc"), content_type="text/plain") + STOP + END + METADATA,
        len(START) + 12,
    ),
    "payload-compact": (
        START
        + raw(json.dumps({"contentBlockIndex": 0, "delta": {"text": "Hi"}, "p": "abc"}).encode())
        + STOP
        + END
        + METADATA,
        len(START) + 12 + 87,
    ),
    "payload-sorted": (
        START + raw(b'{"delta":{"text":"Hi"},"contentBlockIndex":0,"p":"abc"}') + STOP + END + METADATA,
        len(START) + 12 + 87,
    ),
    "padding": (START + raw(padded("zyx")) + STOP + END + METADATA, len(START) + 12 + 87),
    "event-shape": (START + delta(text=5) + STOP + END + METADATA, len(START) + 12 + 87),
    "known-type": (START + frame("novelty") + TEXT + STOP + END + METADATA, len(START) + 12),
    "event-order": (START + TEXT + STOP + END + METADATA + METADATA, len(b"".join(GOOD))),
    "event-complete": (START + TEXT + STOP, len(START + TEXT + STOP)),
    "block-order": (START + TEXT + delta(1, text="!") + STOP + END + METADATA, len(START + TEXT) + 12 + 87),
    "block-start": (START + delta(toolUse={"input": "{}"}) + STOP + END + METADATA, len(START) + 12 + 87),
    "stop-reason": (
        START + TEXT + STOP + frame("messageStop", stopReason="because") + METADATA,
        len(START + TEXT + STOP) + 12 + 81,
    ),
    "usage-total": (
        START
        + TEXT
        + STOP
        + END
        + frame("metadata", metrics={"latencyMs": 7}, usage={**USAGE, "totalTokens": 9}),
        len(START + TEXT + STOP + END) + 12 + 78,
    ),
    "exception-bare": (
        START
        + encode(
            Message(
                (
                    (":exception-type", "throttlingException"),
                    (":content-type", "application/json"),
                    (":message-type", "exception"),
                ),
                b'{"message":"no","p":"abc"}',
            )
        ),
        len(START) + 12 + 97,
    ),
    "payload-json": (START + raw(b"{") + TEXT + STOP + END + METADATA, len(START) + 12 + 87),
}
ALSO = {  # what a breach of one rule cannot but break, too
    "payload-json": {"padding"},
    "frame-crc": {"event-complete"},
}


def test_a_right_body_breaks_no_rule() -> None:
    assert [judgement.breaches for judgement in judge_body(b"".join(GOOD))] == [()] * len(RULES)
    exception = START + TEXT + exception_frame("throttlingException", "no")
    assert not any(judgement.breaches for judgement in judge_body(exception))


def test_every_rule_has_a_body_that_breaks_it() -> None:
    assert BROKEN.keys() == {rule.name for rule in RULES}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_found_where_it_is_broken(name: str) -> None:
    body, offset = BROKEN[name]
    found = {judgement.rule.name: judgement.breaches for judgement in judge_body(body) if judgement.breaches}
    assert found.keys() == {name} | ALSO.get(name, set())
    assert found[name][0].startswith(f"at 0x{offset:06x}  ")


def test_the_emulator_keeps_every_rule_of_an_endpoint() -> None:
    with Emulator() as bedrock:
        judgements = judge_endpoint(bedrock.endpoint_url, MODEL)
    assert {judgement.rule.name: judgement.breaches for judgement in judgements if judgement.breaches} == {}


class Imitation(BaseHTTPRequestHandler):
    """An endpoint that answers everything with the same JSON."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"output": {}}')

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def imitation() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Imitation)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_endpoint_that_only_looks_like_it_is_told_so(
    imitation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lint", imitation]) == 1
    broken = {line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("✗")}
    assert {
        "stream-head",
        "whole-head",
        "whole-body",
        "refusal-head",
        "request-id",
        "http2",
        "frame-crc",
    } <= broken


def test_the_command_judges_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.bin", tmp_path / "bad.bin"
    good.write_bytes(b"".join(GOOD))
    bad.write_bytes(BROKEN["padding"][0])
    assert main(["lint", str(good)]) == 0
    assert f"{len(RULES)} of {len(RULES)} rules hold" in capsys.readouterr().out
    assert main(["lint", str(bad)]) == 1
    assert "✗ padding" in capsys.readouterr().out
    assert main(["lint", str(tmp_path / "none.bin")]) == 2
    assert main(["lint", "http://127.0.0.1:1"]) == 2


def test_the_report_shows_a_few_breaches_and_counts_the_rest() -> None:
    body = START + 5 * raw(padded("zyx")) + STOP + END + METADATA
    text = "\n".join(report(judge_body(body)))
    assert text.count("p of contentBlockDelta") == 3
    assert "and 2 more" in text


def test_what_says_nothing_keeps_no_rule() -> None:
    judgements = judge_body(b"")
    assert {judgement.rule.name for judgement in judgements if judgement.judged} == {
        "event-order",
        "event-complete",
    }
    told = report(judgements)
    assert "- padding          Every event has p, 2 to 61 characters of the alphabet." in told
    assert told[-1] == "0 of 17 rules hold; there was nothing to judge 15 by"
