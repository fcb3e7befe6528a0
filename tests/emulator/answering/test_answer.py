"""The automatic answer: deterministic, calls tools with valid input, and comes to an end."""

from random import Random
from typing import Any

import pytest
from converse_emulator.answering.answer import automatic_reply
from converse_emulator.choosing.request import Request
from converse_emulator.language.scenario import Reply, Text, ToolUse
from converse_emulator.scripting.tokens import count
from jsonschema import Draft202012Validator

Json = dict[str, Any]

ASKED: Json = {"role": "user", "content": [{"text": "Where is order 7?"}]}
SCHEMA: Json = {
    "type": "object",
    "properties": {"order_id": {"type": "string", "pattern": "^O-[0-9]{4}$"}},
    "required": ["order_id"],
}


def tool(name: str, schema: Any = SCHEMA) -> Json:
    return {"toolSpec": {"name": name, "inputSchema": {"json": schema}}}


def called(*ids: str) -> Json:
    return {
        "role": "assistant",
        "content": [{"toolUse": {"toolUseId": id, "name": f"{id}_tool", "input": {}}} for id in ids],
    }


def brought(**results: Json) -> Json:
    return {
        "role": "user",
        "content": [{"toolResult": {"toolUseId": id, **result}} for id, result in results.items()],
    }


def reply(
    *messages: Json, seed: int = 0, tools: list[Json] | None = None, choice: Json | None = None
) -> Reply:
    config = {"tools": tools, "toolChoice": choice} if tools else None
    body = {"messages": list(messages), "toolConfig": config}
    return automatic_reply(Request("ConverseStream", "any.model", {}, body), Random(seed))


def text(answer: Reply) -> str:
    (only,) = answer
    assert isinstance(only, Text)
    return only.text


def test_without_tools_it_is_prose() -> None:
    prose = text(reply(ASKED))
    assert 40 < count(prose) < 250
    assert prose.isascii()


def test_it_depends_on_the_seed_and_on_the_request() -> None:
    other = {"role": "user", "content": [{"text": "Where is order 8?"}]}
    assert reply(ASKED) == reply(ASKED)
    assert reply(ASKED) != reply(ASKED, seed=1)
    assert reply(ASKED) != reply(other)


def test_an_empty_conversation_gets_an_answer() -> None:
    assert text(reply())


@pytest.mark.parametrize("seed", range(5))
def test_an_offered_tool_is_called_with_valid_input(seed: int) -> None:
    said, call = reply(ASKED, seed=seed, tools=[tool("order_status"), tool("lookup")])
    assert isinstance(said, Text)
    assert isinstance(call, ToolUse)
    assert call.name in ("order_status", "lookup")
    Draft202012Validator(SCHEMA).validate(call.input)


def test_all_tools_get_their_turn() -> None:
    tools = [tool("one"), {"cachePoint": {"type": "default"}}, tool("two")]
    names = {
        step.name
        for seed in range(20)
        for step in reply(ASKED, seed=seed, tools=tools)
        if isinstance(step, ToolUse)
    }
    assert names == {"one", "two"}


def test_a_forced_tool_is_called_without_a_word() -> None:
    tools = [tool("one"), tool("two"), tool("three")]
    for seed in range(5):
        (call,) = reply(ASKED, seed=seed, tools=tools, choice={"tool": {"name": "two"}})
        assert isinstance(call, ToolUse)
        assert call.name == "two"
    (call,) = reply(ASKED, tools=tools, choice={"any": {}})
    assert isinstance(call, ToolUse)


@pytest.mark.parametrize("schema", [{}, {"type": "object"}, True])
def test_a_schema_that_asks_for_nothing_gets_an_object(schema: Any) -> None:
    tools = [{"toolSpec": {"name": "now", "inputSchema": {"json": schema} if schema is not True else {}}}]
    call = reply(ASKED, tools=tools)[-1]
    assert isinstance(call, ToolUse)
    assert isinstance(call.input, dict)


def test_a_tool_whose_schema_nothing_satisfies_is_not_called() -> None:
    impossible = {"type": "object", "properties": {"x": {"enum": []}}, "required": ["x"]}
    assert text(reply(ASKED, tools=[tool("never", impossible)]))
    call = reply(ASKED, tools=[tool("never", impossible), tool("ever")])[-1]
    assert isinstance(call, ToolUse)
    assert call.name == "ever"


def test_a_forced_tool_that_is_not_offered_is_not_called() -> None:
    assert text(reply(ASKED, tools=[tool("one")], choice={"tool": {"name": "two"}}))


def test_a_result_brings_the_final_answer_that_tells_of_it() -> None:
    result = brought(a={"content": [{"text": "It is  on\nits way"}]})
    answer = text(reply(ASKED, called("a"), result, tools=[tool("a_tool")], choice={"any": {}}))
    assert answer.startswith("a_tool answered: It is on its way. ")


def test_several_results_are_told_each() -> None:
    results = brought(
        a={"content": [{"json": {"days": 3}}]},
        b={"content": [{"text": "no such order"}], "status": "error"},
        c={"content": []},
        d={"content": [{"image": {"format": "png"}}]},
    )
    answer = text(reply(ASKED, called("a", "b", "c"), results))
    assert answer.startswith(
        'a_tool answered: {"days": 3}. b_tool failed: no such order. '
        "c_tool answered without a word. the tool answered: (image). "
    )


def test_a_long_result_is_quoted_in_part() -> None:
    answer = text(reply(ASKED, called("a"), brought(a={"content": [{"text": "x" * 5_000}]})))
    assert "x…" in answer
    assert len(answer) < 1_500


def test_a_new_question_after_the_answer_may_call_again() -> None:
    done = {"role": "assistant", "content": [{"text": "On its way."}]}
    history = [ASKED, called("a"), brought(a={"content": []}), done, ASKED]
    assert isinstance(reply(*history, tools=[tool("a_tool")])[-1], ToolUse)


@pytest.mark.parametrize(
    "model_id", ["us.meta.llama3-3-70b-instruct-v1:0", "mistral.mistral-large-2407-v1:0"]
)
def test_a_model_that_takes_no_text_beside_a_call_back_says_none(model_id: str) -> None:
    body = {"messages": [ASKED], "toolConfig": {"tools": [tool("a_tool")]}}

    (call,) = automatic_reply(Request("Converse", model_id, {}, body), Random(0))

    assert isinstance(call, ToolUse)
