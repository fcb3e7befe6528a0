"""Rules of the Converse layer on the turns of the conversation, its tool calls and results. See `rule`."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, pairwise
from typing import NamedTuple

from converse_emulator.choosing.conversation import Message
from converse_emulator.judging.rule import Check, Places, Rule, Subject, when

_CONVERSATION = frozenset({"text", "image", "document", "video", "audio", "guardContent"})

# ---------------------------------------------------------------------------------------------- turns


def _first(subject: Subject) -> Places | None:
    return when(bool(subject.messages) and subject.messages[0].role != "user")


def _alternation(subject: Subject) -> Places | None:
    return when(any(one.role == next_one.role for one, next_one in pairwise(subject.messages)))


def _empty(subject: Subject) -> Places | None:
    return next(({"n": n} for n, message in enumerate(subject.messages) if not message.blocks), None)


# ------------------------------------------------------------------------------- tool calls and results


class _Turn(NamedTuple):
    """Messages of the user in a row, the first being number `n`, and the tool calls right before them."""

    n: int
    calls: tuple[str, ...]
    results: tuple[str, ...]


def _turns(subject: Subject) -> Iterator[_Turn]:
    calls: tuple[str, ...] = ()
    for role, run in groupby(enumerate(subject.messages), key=lambda numbered: numbered[1].role):
        said = list(run)
        messages = [message for _, message in said]
        if role == "user":
            yield _Turn(said[0][0], calls, tuple(_results(messages)))
            calls = ()
        else:
            calls = tuple(_open_calls(messages))


def _results(messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        yield from (result["toolUseId"] for result in message.members("toolResult"))


def _open_calls(messages: list[Message]) -> Iterator[str]:
    """Calls for the user's tools; the service's own tools answer within the turn."""
    answered = set(_results(messages))
    for message in messages:
        for call in message.members("toolUse"):
            if call.get("type") != "server_tool_use" and call["toolUseId"] not in answered:
                yield call["toolUseId"]


def _no_tool_config(subject: Subject) -> Places | None:
    used = any("toolUse" in block or "toolResult" in block for _, _, block in subject.blocks())
    return when(used and not subject.tools)


def _missing_results(subject: Subject) -> Places | None:
    for turn in _turns(subject):
        if missing := [call for call in turn.calls if call not in turn.results]:
            return {"n": turn.n, "ids": ", ".join(missing)}
    return None


def _too_many_results(subject: Subject) -> Places | None:
    turns = _turns(subject)
    return next(({"n": turn.n} for turn in turns if len(turn.results) > len(turn.calls)), None)


def _mixed_with(member: str) -> Check:
    def check(subject: Subject) -> Places | None:
        for n, message in enumerate(subject.messages):
            kinds = {kind for block in message.blocks for kind in block}
            if member in kinds and kinds & _CONVERSATION:
                return {"n": n}
        return None

    return check


def _empty_error(subject: Subject) -> Places | None:
    for n, m, result in subject.members("toolResult"):
        if result.get("status") == "error" and not result.get("content"):
            return {"n": n, "m": m}
    return None


def _status(subject: Subject) -> Places | None:
    return when(any("status" in result for _, _, result in subject.members("toolResult")))


def _call_no_object(subject: Subject) -> Places | None:
    for n, m, call in subject.members("toolUse"):
        if not isinstance(call.get("input"), Mapping):
            return {"n": n, "m": m}
    return None


def _result_no_object(subject: Subject) -> Places | None:
    for n, m, result in subject.members("toolResult"):
        for k, block in enumerate(result.get("content") or ()):
            if "json" in block and not isinstance(block["json"], Mapping):
                return {"n": n, "m": m, "k": k}
    return None


TURN_RULES = (
    Rule(
        "first-message",
        "converse",
        "A conversation must start with a user message. "
        "Try again with a conversation that starts with a user message.",
        _first,
        "reported",
        "2026-04",
        but=("claude",),
        note="Claude Sonnet 4.5 took it (recorded 2026-08).",
    ),
    Rule(
        "alternation",
        "converse",
        "A conversation must alternate between user and assistant roles. "
        "Make sure the conversation alternates between user and assistant roles and try again.",
        _alternation,
        "reported",
        "2024-10",
        by_default=False,
        note="Not enforced any more: 27 recorded calls with two messages of the user in a row went well.",
    ),
    Rule(
        "empty-content",
        "converse",
        "The content field in the Message object at messages.{n} is empty. "
        "Add a ContentBlock object to the content field and try again.",
        _empty,
        "reported",
        "2026-04",
    ),
    Rule(
        "tool-config",
        "converse",
        "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
        _no_tool_config,
        "reported",
        "2026-08",
    ),
    Rule(
        "tool-input-format",
        "converse",
        "The format of the value at messages.{n}.content.{m}.toolUse.input is invalid. "
        "Provide a json object for the field and try again.",
        _call_no_object,
        "inferred",
        note="By analogy with the reported text for results.",
    ),
    Rule(
        "tool-result-format",
        "converse",
        "The format of the value at messages.{n}.content.{m}.toolResult.content.{k}.json is invalid. "
        "Provide a json object for the field and try again.",
        _result_no_object,
        "reported",
    ),
    Rule(
        "no-status",
        "converse",
        "This model doesn't support the status field. Remove status and try again.",
        _status,
        "reported",
        families=("command-r", "jamba", "llama", "mistral"),
        note="Documented for Nova and Claude only; families that are not named here are not judged.",
    ),
    Rule(
        "error-result",
        "converse",
        "The content field at messages.{n}.content.{m}.toolResult cannot be empty when status value is "
        "error.",
        _empty_error,
        "reported",
        "2026-06",
    ),
    Rule(
        "mixed-results",
        "converse",
        "messages.{n}.content: Conversation blocks and tool result blocks cannot be provided in the same "
        "turn.",
        _mixed_with("toolResult"),
        "reported",
        "2025-11",
        families=("llama", "mistral"),
    ),
    Rule(
        "mixed-calls",
        "converse",
        "messages.{n}.content: Conversation blocks and tool use blocks cannot be provided in the same turn.",
        _mixed_with("toolUse"),
        "reported",
        "2025-11",
        families=("llama", "mistral"),
    ),
    Rule(
        "missing-results",
        "converse",
        "Expected toolResult blocks at messages.{n}.content for the following Ids: {ids}",
        _missing_results,
        "reported",
        "2026-03",
    ),
    Rule(
        "too-many-results",
        "converse",
        "The number of toolResult blocks at messages.{n}.content exceeds the number of toolUse blocks of "
        "previous turn.",
        _too_many_results,
        "reported",
        "2026-01",
    ),
)
