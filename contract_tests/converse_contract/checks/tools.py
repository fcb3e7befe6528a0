"""Tool calls: what the user was told about them, and what went back to Bedrock."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from converse_contract.case import Check, Evidence, Exchange, Finding
from converse_contract.transcript import Text, ToolFinished, ToolStarted, explain


def tools_run(*names: str) -> Check:
    """The tools that were announced, in this order."""

    def check(evidence: Evidence) -> list[Finding]:
        told = [event.name for event in evidence.transcript.of(ToolStarted)]
        return [] if told == list(names) else [Finding(f"tools {_list(names)}", _list(told))]

    return check


def no_tool_run(evidence: Evidence) -> list[Finding]:
    """No tool was announced, and no result of one went to Bedrock."""
    told = [explain(event) for event in evidence.transcript.of(ToolStarted, ToolFinished)]
    told += [f"toolResult {result.get('toolUseId')} sent to Bedrock" for result in _results(evidence)]
    return [Finding("no tool run", ", ".join(told))] if told else []


def tools_balanced(evidence: Evidence) -> list[Finding]:
    """Every tool that was announced ends once, after it began, under the same id and name."""
    open_tools: dict[str, str] = {}
    findings = []
    for event in evidence.transcript.of(ToolStarted, ToolFinished):
        match event:
            case ToolStarted(id=tool_id, name=name):
                if tool_id in open_tools:
                    findings.append(Finding("every tool call under an id of its own", explain(event)))
                open_tools[tool_id] = name
            case ToolFinished(id=tool_id, name=name) if open_tools.pop(tool_id, None) != name:
                findings.append(Finding("an end only for a tool that began", explain(event)))
    if open_tools:
        findings.append(Finding("every tool that began to end", f"{_list(open_tools.values())} did not"))
    return findings


def tool_ended(name: str, *, ok: bool) -> Check:
    """This tool's calls ended, all well or all not."""

    def check(evidence: Evidence) -> list[Finding]:
        ends = [event for event in evidence.transcript.of(ToolFinished) if event.name == name]
        if ends and all(event.ok is ok for event in ends):
            return []
        expected = f"ToolFinished(name={name!r}, ok={ok})"
        return [Finding(expected, ", ".join(map(explain, ends)) or "no end of this tool")]

    return check


def tool_results_sent(*statuses: str) -> Check:
    """Bedrock got these tool results, in order: `success` or `error` each (absent means success)."""

    def check(evidence: Evidence) -> list[Finding]:
        sent = [str(result.get("status", "success")) for result in _results(evidence)]
        if sent == list(statuses):
            return []
        return [Finding(f"toolResult {_list(statuses)} sent back to Bedrock", _list(sent))]

    return check


def results_match_calls(evidence: Evidence) -> list[Finding]:
    """In what was sent to Bedrock, every turn's tool calls are answered by the next message, by id."""
    for messages in map(_messages, evidence.exchanges):
        for turn, answer in pairwise(messages):
            called = [block["toolUse"]["toolUseId"] for block in turn["content"] if "toolUse" in block]
            told = [block["toolResult"]["toolUseId"] for block in answer["content"] if "toolResult" in block]
            if sorted(called) != sorted(told):
                return [Finding(f"toolResult for {_list(called)} in one message", _list(told))]
    return []


def turn_repeated(*content: Mapping[str, Any]) -> Check:
    """The last call's history has the model's last turn as it was, but for the ids of tool calls."""

    def check(evidence: Evidence) -> list[Finding]:
        messages = _messages(evidence.exchanges[-1]) if evidence.exchanges else []
        turns = [message["content"] for message in messages if message["role"] == "assistant"]
        said = [_without_id(block) for block in turns[-1]] if turns else None
        if said == list(content):
            return []
        expected = f"the model's turn sent back as it was: {json.dumps(content)}"
        return [Finding(expected, json.dumps(said) if turns else "no assistant turn")]

    return check


def within_rounds(evidence: Evidence) -> list[Finding]:
    """Bedrock is called at most once more than the handler declares tool rounds."""
    most = evidence.limits.tool_rounds + 1
    made = len(evidence.exchanges)
    return [] if made <= most else [Finding(f"at most {most} calls of Bedrock", str(made))]


def text_after_tools(evidence: Evidence) -> list[Finding]:
    """The same response goes on with text once the last tool has ended."""
    events = [arrival.event for arrival in evidence.transcript.arrivals]
    ends = [place for place, event in enumerate(events) if isinstance(event, ToolFinished)]
    if ends and any(isinstance(event, Text) for event in events[ends[-1] :]):
        return []
    return [Finding("text after the tool's end", "none" if ends else "no tool ended")]


def _results(evidence: Evidence) -> Iterator[Mapping[str, Any]]:
    """The tool results in the last call's conversation, which holds those of the earlier calls too."""
    for message in _messages(evidence.exchanges[-1]) if evidence.exchanges else []:
        for block in message.get("content", []):
            if "toolResult" in block:
                yield block["toolResult"]


def _messages(exchange: Exchange) -> list[Mapping[str, Any]]:
    """The conversation in a call's request."""
    messages: list[Mapping[str, Any]] = exchange["request"]["body"].get("messages", [])
    return messages


def _without_id(block: Mapping[str, Any]) -> Mapping[str, Any]:
    if "toolUse" not in block:
        return block
    return {"toolUse": {name: value for name, value in block["toolUse"].items() if name != "toolUseId"}}


def _list(words: Iterable[str]) -> str:
    return ", ".join(words) or "none"
