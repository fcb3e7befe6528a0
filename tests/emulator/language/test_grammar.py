"""The table of steps: each form of each step, what it becomes, what it refuses, and the rules of order."""

from typing import Any, get_args

import pytest
from converse_emulator.errors import ScenarioError
from converse_emulator.language import faults as fa
from converse_emulator.language import scenario as sc
from converse_emulator.language.grammar import MODIFIERS, STEPS
from converse_emulator.language.loader import reply_from
from converse_emulator.language.rules import Applied, Bare
from converse_emulator.playing.acts import ErrorCode

FORMS: list[tuple[Any, sc.Step]] = [
    ({"text": "Hi"}, sc.Text("Hi")),
    ({"text": "", "every": 0, "split": "whole"}, sc.Text("", 0.0, "whole")),
    ({"text": "Hello", "split": ["He", "", "llo"]}, sc.Text("Hello", split=("He", "", "llo"))),
    ({"text": "Hi", "every": {"between": ["10ms", 0.5]}}, sc.Text("Hi", sc.Span(0.01, 0.5))),
    ({"reasoning": "Hm."}, sc.Reasoning("Hm.")),
    ({"reasoning": {"text": "Hm.", "signature": "s"}, "every": "1s"}, sc.Reasoning("Hm.", "s", every=1.0)),
    ({"reasoning": {"signature": "s"}}, sc.Reasoning(signature="s")),
    ({"reasoning": {"redacted": "aGk="}}, sc.Reasoning(redacted=b"hi")),
    ({"tool_use": {"name": "look"}}, sc.ToolUse("look")),
    (
        {"tool_use": {"name": "look", "input": {"a": [1, None]}, "id": "t1"}},
        sc.ToolUse("look", {"a": [1, None]}, "t1"),
    ),
    (
        {"tool_use": {"name": "look", "input": '{"a": '}, "split": ["{"]},
        sc.ToolUse("look", '{"a": ', split=("{",)),
    ),
    ({"tool_use": {"name": "look", "type": "server_tool_use"}}, sc.ToolUse("look", type="server_tool_use")),
    ({"tool_result": "[HIDDEN]"}, sc.ToolResult(({"text": "[HIDDEN]"},))),
    (
        {"tool_result": {"content": {"a": 1}, "status": "error", "id": "x", "type": "y"}},
        sc.ToolResult(({"json": {"a": 1}},), "error", "x", "y"),
    ),
    ({"tool_result": {"content": [{"json": {}}]}}, sc.ToolResult(({"json": {}},))),
    ({"citation": {"title": "T"}}, sc.Citation({"title": "T"})),
    ({"image": {"data": "aGk="}}, sc.Image(b"hi")),
    ({"image": {"data": "aGk=", "format": "gif"}}, sc.Image(b"hi", "gif")),
    ({"bytes": '{"a": 1}'}, sc.Bytes(b'{"a": 1}')),
    ({"bytes": {"base64": "aGk="}}, sc.Bytes(b"hi")),
    ({"split": "usual"}, sc.SplitBy("usual")),
    ({"event": {"messageStart": {"role": "assistant"}}}, sc.Event("messageStart", {"role": "assistant"})),
    ({"wait": "800ms"}, sc.Wait(0.8)),
    ({"wait": "2min"}, sc.Wait(120.0)),
    ({"wait": 1.5}, sc.Wait(1.5)),
    ({"wait": "forever"}, sc.Wait(sc.FOREVER)),
    ({"wait": {"between": ["1s", "2s"]}}, sc.Wait(sc.Span(1.0, 2.0))),
    ({"every": "12.5ms"}, sc.Every(0.0125)),
    ({"split": "characters"}, sc.SplitBy("characters")),
    ({"split": ["a", "b"]}, sc.SplitBy(("a", "b"))),
    ({"gate": "first-delta_2.x"}, sc.Gate("first-delta_2.x")),
    ({"stop": "max_tokens"}, sc.Stop("max_tokens")),
    ({"stop": "zzz"}, sc.Stop("zzz")),
    ({"stop": {"reason": "stop_sequence", "fields": {"x": 1}}}, sc.Stop("stop_sequence", {"x": 1})),
    ({"usage": {"inputTokens": 7}}, sc.Usage({"inputTokens": 7})),
    (
        {"metadata": {"performanceConfig": {"latency": "optimized"}}},
        sc.Metadata({"performanceConfig": {"latency": "optimized"}}),
    ),
    ({"refuse": "ThrottlingException"}, sc.Refuse("ThrottlingException")),
    (
        {
            "refuse": {
                "name": "ThrottlingException",
                "message": "m",
                "status": 503,
                "headers": {"Retry-After": "1"},
            }
        },
        sc.Refuse("ThrottlingException", "m", 503, {"Retry-After": "1"}),
    ),
    ({"throw": "throttlingException"}, sc.Throw("throttlingException")),
    ({"throw": {"exception": "modelTimeoutException"}}, sc.Throw("modelTimeoutException")),
    ({"throw": "modelTimeoutException"}, sc.Throw("modelTimeoutException")),
    ({"throw": {"exception": "throttlingException", "message": ""}}, sc.Throw("throttlingException", "")),
    ({"throw": {"error": "InternalError", "message": "m"}}, sc.Throw("InternalError", "m", "error")),
    ({"corrupt": "prelude_crc"}, fa.Corrupt("prelude_crc")),
    ({"corrupt": "message_crc"}, fa.Corrupt("message_crc")),
    ({"cut": 0}, fa.Cut(0)),
    ({"cut": 20.0}, fa.Cut(20)),
    ({"cut": 0.5}, fa.Cut(0.5)),
    ({"cut": "message_crc"}, fa.Cut("message_crc")),
    ({"corrupt": {"what": "not_json"}}, fa.Corrupt("not_json")),
    ({"corrupt": {"byte": 17}}, fa.Corrupt(17)),
    ("drop", fa.Drop()),
    ("duplicate", fa.Duplicate()),
    ("swap", fa.Swap()),
    ({"unknown": {"newEvent": {"x": 1}}}, fa.Unknown("newEvent", {"x": 1})),
    ({"tear": 0.5}, fa.Tear(0.5)),
    ({"tear": {"head": 20}}, fa.Tear(20, head=True)),
    ({"raw": "HTTP/1.1 2OO OK"}, fa.Wild(b"HTTP/1.1 2OO OK")),
    ({"interim": 103}, fa.Interim(103)),
    (
        {"head": {"status": 502, "headers": {"Server": "x"}, "length": "too_long", "encoding": "gzip"}},
        fa.HeadSays(502, {"Server": "x"}, "too_long", gzip=True),
    ),
    ({"head": {"length": 5}}, fa.HeadSays(length=5)),
    ({"chunks": "code_points"}, fa.Chunks("code_points")),
    ({"chunks": 1}, fa.Chunks(1)),
    ({"drip": {"every": "1s"}}, fa.Drip(1, 1.0)),
    ({"drip": {"bytes": 5, "every": "1s"}}, fa.Drip(5, 1.0)),
    ({"trickle": "interim"}, fa.Trickle("interim")),
    ({"trickle": {"send": "byte", "every": "5s"}}, fa.Trickle("byte", 5.0)),
    ("go_away", fa.GoAway()),
    ({"go_away": "ENHANCE_YOUR_CALM"}, fa.GoAway(ErrorCode.ENHANCE_YOUR_CALM)),
    ("finish", sc.Finish()),
    ("hangup", sc.Hangup()),
    ({"hangup": "connection"}, sc.Hangup(connection=True)),
    ("reset", sc.Reset()),
    ({"reset": "REFUSED_STREAM"}, sc.Reset(ErrorCode.REFUSED_STREAM)),
    ({"reset": "connection"}, sc.Reset(connection=True)),
    ({"drop": None, "at": "metadata"}, sc.Placed(fa.Drop(), fa.Place("metadata"))),
    (
        {"corrupt": "message_crc", "at": {"event": "tool_use", "number": 2}},
        sc.Placed(fa.Corrupt("message_crc"), fa.Place("tool_use", 2)),
    ),
    (
        {"reset": None, "after": {"event": "tool_use", "number": -1, "block": "lookup"}},
        sc.Placed(sc.Reset(), fa.Place("tool_use", -1, "lookup", after=True)),
    ),
    ({"hangup": "connection", "at": {"block": 1}}, sc.Placed(sc.Hangup(True), fa.Place(block=1))),
    (
        {"wait": "5s", "at": {"frame": 3, "inside": "payload"}},
        sc.Placed(sc.Wait(5.0), fa.Place(frame=3, inside="payload")),
    ),
    ({"finish": None, "at": {"byte": 100}}, sc.Placed(sc.Finish(), fa.Place(byte=100))),
    ({"reset": None, "at": {"time": "2s"}}, sc.Placed(sc.Reset(), fa.Place(time=2.0))),
    ({"cut": 17, "at": {"fraction": 0.5}}, sc.Placed(fa.Cut(17), fa.Place(fraction=0.5))),
    (
        {"bytes": "x", "after": "messageStart"},
        sc.Placed(sc.Bytes(b"x"), fa.Place("messageStart", after=True)),
    ),
]


@pytest.mark.parametrize(
    ("written", "step"), FORMS, ids=lambda value: str(value) if isinstance(value, dict | str) else ""
)
def test_a_step(written: Any, step: sc.Step) -> None:
    assert reply_from([written]) == (step,)


def test_the_table_has_every_kind_of_step_and_no_other() -> None:
    made = {type(step) for _, step in FORMS}
    kinds = {kind for group in get_args(sc.Step) for kind in (get_args(group) or (group,))}
    assert made == kinds
    named = {next(iter(written)) if isinstance(written, dict) else written for written, _ in FORMS}
    assert named == set(STEPS)


def test_modifiers_are_steps_of_their_own_too() -> None:
    assert set(MODIFIERS) <= set(STEPS)


def test_every_step_says_what_it_does() -> None:
    for name, rule in STEPS.items():
        match rule:
            case Bare() | Applied():
                assert rule.about.endswith("."), name


REFUSED: list[tuple[Any, str]] = [
    ({}, "[0]: a mapping is not allowed here"),
    ([], "[0]: a list is not allowed here"),
    ({"text": "a", "wait": 1}, "[0].wait: 'wait' is a second step in the mapping of 'text'"),
    ({"every": 1, "split": "words"}, "[0].split: 'split' is a second step in the mapping of 'every'"),
    ({"finish": None}, "[0].finish: 'finish' takes no argument; allowed: the word alone: finish"),
    (
        {"text": "a", "spilt": "words"},
        "[0].spilt: 'spilt' cannot stand beside 'text' (did you mean 'split'?)",
    ),
    (
        {"wait": -1},
        "[0].wait: the number -1 is not allowed here; allowed: forever | a duration such as 800ms",
    ),
    ({"wait": True}, "[0].wait: true is not allowed here"),
    ({"wait": "3 s"}, "[0].wait: '3 s' is not allowed here"),
    ({"wait": "25h"}, "[0].wait: '25h' is not allowed here"),
    ({"wait": 86_401}, "[0].wait: the number 86401 is not allowed here"),
    ({"every": "forever"}, "[0].every: 'forever' is not allowed here"),
    ({"every": {"between": [2, 1]}}, "[0].every: the first duration of `between` is the shorter one"),
    ({"every": {"between": [1]}}, "[0].every.between: a list of 1; allowed: 2 of: a duration"),
    ({"split": []}, "[0].split: a list of 0; allowed: 1 or more of: a string"),
    (
        {"split": "letters"},
        "[0].split: 'letters' is not allowed here; allowed: tokens, words, characters, whole, usual | a list",
    ),
    ({"gate": "a b"}, "[0].gate: 'a b' is not allowed here"),
    ({"gate": "a\n"}, "[0].gate: 'a\\n' is not allowed here"),
    ({"stop": ""}, "[0].stop: '' is not allowed here; allowed: end_turn"),
    ({"stop": {"fields": {}}}, "[0].stop: 'reason' is missing"),
    ({"reasoning": {"redacted": "a"}}, "[0].reasoning.redacted: 'a' is not allowed here; allowed: base64"),
    (
        {"reasoning": {"redacted": "", "text": "x"}},
        "[0].reasoning.text: unknown member 'text'; allowed: redacted",
    ),
    ({"tool_use": "look"}, "[0].tool_use: 'look' is not allowed here; allowed: {name, input, id, type}"),
    (
        {"tool_use": {"name": "look", "inptu": 1}},
        "[0].tool_use.inptu: unknown member 'inptu' (did you mean 'input'?)",
    ),
    (
        {"event": {"mesageStop": {}}},
        "[0].event.mesageStop: 'mesageStop' is not allowed here (did you mean 'messageStop'?)",
    ),
    (
        {"event": {"messageStop": {"stopReason": ""}}},
        "[0].event.messageStop: Value '' at 'messageStop.stopReason'",
    ),
    (
        {"event": {"messageStop": []}},
        "[0].event.messageStop: a list is not allowed here; allowed: any mapping",
    ),
    (
        {"event": {"messageStart": {}, "messageStop": {}}},
        "[0].event: a mapping is not allowed here; allowed: a mapping of one",
    ),
    ({"usage": {"inputTokens": -1}}, "[0].usage: Value '-1' at 'metadata.usage.inputTokens'"),
    (
        {"metadata": {"metrics": {"latencyMs": "x"}}},
        "[0].metadata: Value 'x' at 'metadata.metrics.latencyMs'",
    ),
    (
        {"refuse": "throttlingException"},
        "[0].refuse: 'throttlingException' is not allowed here (did you mean 'ThrottlingE",
    ),
    (
        {"refuse": {"name": "ThrottlingException", "status": 200}},
        "[0].refuse.status: the number 200 is not allowed here",
    ),
    (
        {"refuse": {"name": "ThrottlingException", "headers": {"a b": "c"}}},
        "[0].refuse.headers['a b']: 'a b' is not allowed here; allowed: the name of an HTTP header",
    ),
    (
        {"refuse": {"name": "ThrottlingException", "headers": {"a": "c\r\nd: e"}}},
        "[0].refuse.headers.a: 'c\\r\\nd: e' is not allowed here; allowed: a string of printable",
    ),
    (
        {"throw": "modelTimedOutException"},
        "[0].throw: 'modelTimedOutException' is not allowed here (did you mean '",
    ),
    (
        {"throw": {"exception": "a", "error": "b"}},
        "[0].throw.exception: unknown member 'exception'; allowed: error, message",
    ),
    ({"corrupt": "crc"}, "[0].corrupt: 'crc' is not allowed here"),
    ({"cut": 1.5}, "[0].cut: the number 1.5 is not allowed here; allowed: prelude, prelude_crc, headers,"),
    (
        {"corrupt": "mesage_crc"},
        "[0].corrupt: 'mesage_crc' is not allowed here (did you mean 'message_c",
    ),
    ({"unknown": {"a": {}, "b": {}}}, "[0].unknown: one event: {newEvent: {…}}"),
    ({"reset": "SOMETIMES"}, "[0].reset: 'SOMETIMES' is not allowed here; allowed: connection | NO_ERROR"),
    ({"reset": None}, "[0].reset: nothing is not allowed here"),
    ({"interim": 200}, "[0].interim: the number 200 is not allowed here; allowed: 100, 102 or 103"),
    ({"head": {"status": 199}}, "[0].head.status: the number 199 is not allowed here"),
    ({"head": {"encoding": "br"}}, "[0].head.encoding: 'br' is not allowed here; allowed: gzip"),
    ({"chunks": 0}, "[0].chunks: the number 0 is not allowed here; allowed: due, frames, code_points | a"),
    ({"drip": {"bytes": 1}}, "[0].drip: 'every' is missing"),
    ({"text": "a", "at": "metadata"}, "[0].at: 'at' cannot stand beside 'text'"),
    ({"drop": None, "at": "metdata"}, "[0].at: 'metdata' is not allowed here (did you mean 'metadata'?)"),
    (
        {"drop": None, "at": {}},
        "[0].at: says no place: give one of event, block, frame, byte, ",
    ),
    ({"drop": None, "at": {"event": "text", "frame": 1}}, "[0].at: event and frame are different places"),
    ({"drop": None, "at": {"frame": 1, "number": 1}}, "[0].at: `number` counts events"),
    ({"drop": None, "at": {"frame": 0}}, "[0].at: numbers count from 1"),
    ({"drop": None, "at": {"time": 1, "inside": 3}}, "[0].at: `inside` is inside a frame"),
    ({"drop": None, "after": "text"}, "[0].after: it befalls a frame: `at` an event"),
    ({"drop": None, "at": {"byte": 9}}, "[0].at: it befalls a frame: `at` an event"),
    ({"tear": {"head": 9}, "at": "text"}, "[0].at: the head has its place already"),
    (
        {"throw": "throttlingException", "at": {"byte": 9}},
        "[0].at: in the middle of a frame there can be",
    ),
    ({"reset": None, "after": {"event": "text", "inside": 3}}, "[0].after: `after` is behind a whole frame"),
    ({"reset": None, "at": "text", "after": "text"}, "[0].at: `at` and `after` are two places"),
    ({"cut": -1}, "[0].cut: the number -1 is not allowed here"),
    ("finnish", "[0]: 'finnish' is no step without an argument (did you mean 'finish'?)"),
]


@pytest.mark.parametrize(("written", "told"), REFUSED, ids=lambda value: str(value))
def test_what_is_refused(written: Any, told: str) -> None:
    with pytest.raises(ScenarioError) as error:
        reply_from([written], where="")
    (mistake,) = error.value.mistakes
    assert str(mistake).startswith(told)


FRAME = {"text": "a"}
MISORDERED: list[tuple[list[Any], str]] = [
    *(
        ([*start, end, FRAME], f"[{len(start) + 1}]: the step before this one ends the reply")
        for start, end in [
            ([FRAME], "finish"),
            ([FRAME], "hangup"),
            ([FRAME], "reset"),
            ([FRAME], {"throw": "throttlingException"}),
            ([], {"refuse": "ThrottlingException"}),
            ([FRAME], {"wait": "forever"}),
        ]
    ),
    ([FRAME, {"refuse": "ThrottlingException"}], "[1]: a refusal comes in place of the stream"),
    (
        [{"stop": "end_turn"}, {"refuse": "ThrottlingException"}],
        "[1]: a refusal comes in place of the stream",
    ),
    ([FRAME, {"corrupt": "message_crc"}, "finish"], "[1]: no frame comes after it that could be damaged"),
    (
        [FRAME, {"corrupt": "message_crc"}, {"wait": "forever"}],
        "[1]: no frame comes after it that could be damaged",
    ),
    (
        [
            {
                "event": {
                    "metadata": {
                        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
                        "metrics": {"latencyMs": 1},
                    }
                }
            },
            {"cut": 3},
        ],
        "[1]: no frame comes after it that could be damaged",
    ),
    ([{"cut": 3}, FRAME, FRAME], "[2]: never sent: a frame before it is cut"),
    ([{"cut": 3}, FRAME, {"cut": 3}], "[2]: never sent: a frame before it is cut"),
    ([{"text": "abc", "split": ["b"]}], "[0]: the pieces of `split` do not spell the text"),
    (
        [{"tool_use": {"name": "x", "input": "{}"}, "split": ["[]"]}],
        "[0]: the pieces of `split` do not spell the text",
    ),
]


@pytest.mark.parametrize(("written", "told"), MISORDERED, ids=str)
def test_what_stands_in_the_wrong_order(written: list[Any], told: str) -> None:
    with pytest.raises(ScenarioError) as error:
        reply_from(written, where="")
    assert [str(mistake)[: len(told)] for mistake in error.value.mistakes] == [told]


@pytest.mark.parametrize(
    "written",
    [
        [],
        [{"wait": "1s"}, {"gate": "g"}, {"every": 1}, {"split": "words"}, {"refuse": "ThrottlingException"}],
        [FRAME, {"corrupt": "message_crc"}],
        [FRAME, {"corrupt": "message_crc"}, {"stop": "end_turn"}, "reset"],
        [
            {"corrupt": "message_crc"},
            {"corrupt": "prelude_crc"},
            {"wait": "1s"},
            {"throw": "throttlingException"},
        ],
        [FRAME, {"cut": 0.5}],
        [FRAME, {"cut": 0.5}, "reset"],
        [FRAME, {"cut": 0.5}, {"wait": "forever"}],
        [{"cut": 0.5}, FRAME, {"usage": {"inputTokens": 1}}, "hangup"],
        [{"cut": 0.5}, {"throw": "throttlingException"}],
        [FRAME, {"stop": "end_turn"}, "finish"],
    ],
    ids=str,
)
def test_what_can_follow_what(written: list[Any]) -> None:
    assert len(reply_from(written)) == len(written)
