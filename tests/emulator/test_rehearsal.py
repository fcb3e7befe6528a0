"""What a run will do, told before it does it; and then it does."""

import json
import urllib.error
import urllib.request

import pytest
from converse_emulator import Emulator, Scenario
from converse_emulator.language.library import Library
from converse_emulator.language.loader import load_text
from converse_emulator.language.scenario import Json
from converse_emulator.language.wrap_form import read_wrap
from converse_emulator.playing.acts import Send
from converse_emulator.rehearsal import EXAMPLE_MODEL, Run, rehearsal_text, rehearse

HI = {"text": "Hi"}


def scenario(what: dict[str, Json]) -> Scenario:
    text = json.dumps({"title": "T.", "handlers": "H.", **what})
    return load_text(text, name="n", source="n.yaml")


def shown(what: dict[str, Json], operation: str = "ConverseStream", wrap: str = "") -> list[str]:
    run = Run("0", operation=operation, wrap=read_wrap(wrap, "wrap") if wrap else None)
    return rehearsal_text(scenario(what), run).splitlines()


def requests(what: dict[str, Json], wrap: str = "") -> list[str]:
    return [line for line in shown(what, wrap=wrap) if line.startswith("request ")]


def test_a_scenario_is_shown_with_what_is_sent_when() -> None:
    lines = shown({"reply": [{"wait": 1.5}, {"text": "Hi"}, {"throw": "throttlingException"}]})
    assert lines[:3] == ["n", "  T.", "  A good handler: H."]
    assert lines[4] == "request 1, call 1, attempt 1: reply 1 of 1, 1 token"
    assert lines[5] == "  +1.500 s  head 200"
    assert lines[7].endswith('(contentBlockDelta)  {"contentBlockIndex":0,"delta":{"text":"Hi"}}')
    assert "(throttlingException)  [injected]  {" in lines[8]
    assert lines[9] == "  +1.500 s  finish  [injected]"


def test_native_chunks_are_shown_as_what_is_in_them() -> None:
    chunks = str(shown({"reply": "Hi"}, "InvokeModelWithResponseStream"))
    assert '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}' in chunks
    assert '{"id":"msg_bdrk_01' in "".join(shown({"reply": "Hi"}, "InvokeModel"))


def test_faults_are_retried_and_answers_followed() -> None:
    refusal = [{"refuse": "ThrottlingException"}]
    assert requests({"replies": ["A", refusal, "B"]}) == [
        "request 1, call 1, attempt 1: reply 1 of 3, 1 token",
        "request 2, call 2, attempt 1: reply 2 of 3, 0 tokens",
        "request 3, call 2, attempt 2: reply 3 of 3, 1 token",
    ]


def test_alternatives_are_shown_where_they_are_met_and_the_others_at_the_end() -> None:
    refusal = [{"refuse": "ThrottlingException"}]
    instead = [
        {"when": {"attempts": 1, "from_call": 2}, "reply": refusal},
        {"when": {"during": ["10s", "25s"]}, "reply": "Late"},
    ]
    lines = shown({"title": "T.", "handlers": "H.", "instead": instead})
    told = [line.rpartition(",")[0] for line in lines if line.startswith(("request", "instead"))]
    assert told == [
        "request 1, call 1, attempt 1: the automatic answer",
        "request 2, call 2, attempt 1: instead 1",
        "request 3, call 2, attempt 2: the automatic answer",
        "request 4, call 3, attempt 1: instead 1",
        "request 5, call 3, attempt 2: the automatic answer",
        "instead 2, which none of these requests gets",
    ]


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
            text = rehearsal_text(library.get(name), Run("0", operation=operation))
            assert text.startswith(name)


def test_a_wrap_that_throttles_is_shown() -> None:
    replies = {"replies": ["A", "B"]}
    assert requests(replies, "throttle=0.5")[1].endswith("throttled, 0 tokens")


NAMES = ("tools/round-trip", "text/slow-usage", "schedules/first-two-attempts-throttled")


@pytest.mark.parametrize("name", NAMES)
def test_a_run_with_the_same_seed_does_the_same(name: str) -> None:
    foreseen = list(rehearse(Library().get(name), Run("7"), 3))
    with Emulator(seed=7, speed=1000) as bedrock:
        for each in foreseen:
            body = json.dumps({"messages": conversation(each.call)}).encode()
            path = f"/scenario/{name}/model/{EXAMPLE_MODEL}/converse-stream"
            headers = {"amz-sdk-invocation-id": str(each.call)}
            sends = [beat.act.data for beat in each.timeline.beats if isinstance(beat.act, Send)]
            assert came(urllib.request.Request(bedrock.endpoint_url + path, body, headers)) == b"".join(sends)


def conversation(call: int) -> list[Json]:
    said: list[Json] = [{"role": "user", "content": [{"text": "Hello"}]}]
    for _ in range(call - 1):
        said += [{"role": "assistant", "content": [{"text": "Hello"}]}, said[0]]
    return said


def came(request: urllib.request.Request) -> bytes:
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return bytes(response.read())
    except urllib.error.HTTPError as error:
        return bytes(error.read())
