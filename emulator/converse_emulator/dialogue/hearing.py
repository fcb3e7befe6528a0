"""What has been said to the model: the events of a client, judged, gathered into turns.

    sessionStart                         how long answers may be
    promptStart                          voice and tools
    contentStart … contentEnd            text of the system, what was said before, a user's turn, a result
    promptEnd, sessionEnd                nothing more will be asked

A turn is over when an interactive content of the user ends, when the user pauses in an open content of audio,
and when all results of the tools that the model called have come. The conversation is kept in Converse's
terms, for everything that chooses and performs replies to work as elsewhere.
"""

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from converse_emulator.dialogue.inbound import BadInput
from converse_emulator.dialogue.listener import Listener
from converse_emulator.errors import did_you_mean
from converse_emulator.http.inbound import json_object
from converse_emulator.language.scenario import Json
from converse_emulator.shapes.service import violations
from converse_emulator.shapes.violations import summary

Members = Mapping[str, Json]

_INPUT_OF = {"TEXT": "textInput", "AUDIO": "audioInput", "TOOL": "toolResult"}
_ROLES = ("SYSTEM", "SYSTEM_SPEECH", "USER", "ASSISTANT", "TOOL")


@dataclass(frozen=True, slots=True)
class Turn:
    """The model's turn to speak. `spoken`: seconds of speech that it answers; 0: text or tools' results."""

    spoken: float = 0.0
    continues: bool = False  # it goes on where it called tools


@dataclass(slots=True)
class _Content:
    type: str
    role: str
    interactive: bool
    tool_use_id: str
    listener: Listener
    text: str = ""


@dataclass(slots=True)
class Hearing:
    """One session. `body` is the conversation so far, as Converse would have it."""

    prompt: str = ""  # its name
    audio: Members | None = None  # how the client wants to hear the model; None: not at all
    over: bool = False  # nothing more will be asked
    body: dict[str, Json] = field(default_factory=lambda: {"messages": []})
    _started: bool = False
    _contents: dict[str, _Content] = field(default_factory=dict)  # the open ones, by name
    _names: set[str] = field(default_factory=set)  # of all contents
    _awaited: list[str] = field(default_factory=list)  # ids of calls whose results have not come

    def hear(self, name: str, members: Members) -> Turn | None:
        """Take an event; the turn that it completes, if it does. Raises `BadInput`."""
        known: Mapping[str, Callable[[Members], Turn | None]] = {
            "sessionStart": self._session_start,
            "promptStart": self._prompt_start,
            "contentStart": self._content_start,
            "textInput": self._text_input,
            "audioInput": self._audio_input,
            "toolResult": self._tool_result,
            "contentEnd": self._content_end,
            "promptEnd": self._end,
            "sessionEnd": self._end,
        }
        if name not in known:
            raise BadInput(
                f"Unknown input event {name!r}{did_you_mean(name, known)}; allowed: {', '.join(known)}."
            )
        if not self._started and name != "sessionStart":
            raise BadInput(f"The input must begin with sessionStart, not with {name}.")
        if self.over and name not in ("promptEnd", "sessionEnd"):
            raise BadInput(f"{name} came after the end of the prompt.")
        return known[name](members)

    def answered(self, message: Members | None) -> None:
        """The model has said this, in Converse's terms."""
        if message and message["content"]:
            self.body["messages"].append(message)
            calls = [block["toolUse"] for block in message["content"] if "toolUse" in block]
            self._awaited = [call["toolUseId"] for call in calls]

    def _session_start(self, members: Members) -> None:
        if self._started:
            raise BadInput("sessionStart came a second time.")
        self._started = True
        match members.get("inferenceConfiguration"):
            case {"maxTokens": int(most)} if most > 0:
                self.body["inferenceConfig"] = {"maxTokens": most}

    def _prompt_start(self, members: Members) -> None:
        if self.prompt:
            raise BadInput("promptStart came a second time.")
        self.prompt = _text("promptStart", members, "promptName")
        audio = members.get("audioOutputConfiguration")
        self.audio = audio if isinstance(audio, Mapping) else None
        match members.get("toolConfiguration"):
            case {"tools": [*tools], **more} if tools:
                choice = {"toolChoice": more["toolChoice"]} if "toolChoice" in more else {}
                config = {"tools": [_tool(tool) for tool in tools], **choice}
                if wrong := violations("ConverseStream", "m", {"toolConfig": config}):
                    raise BadInput(f"promptStart: {summary(wrong)}")
                self.body["toolConfig"] = config

    def _content_start(self, members: Members) -> None:
        self._of_the_prompt("contentStart", members)
        name = _text("contentStart", members, "contentName")
        if name in self._names:
            raise BadInput(f"contentStart: the contentName {name!r} was used before.")
        kind, role = (_text("contentStart", members, each) for each in ("type", "role"))
        if kind not in _INPUT_OF or role not in _ROLES:
            raise BadInput(
                f"contentStart: type is one of {', '.join(_INPUT_OF)} and role one of {', '.join(_ROLES)}, "
                f"not {kind!r} and {role!r}."
            )
        sound, result = (members.get(f"{each}InputConfiguration") for each in ("audio", "toolResult"))
        rate = sound.get("sampleRateHertz") if isinstance(sound, Mapping) else None
        call = result.get("toolUseId") if isinstance(result, Mapping) else None
        self._names.add(name)
        self._contents[name] = _Content(
            kind,
            role,
            members.get("interactive") is not False,
            str(call or ""),
            Listener(rate if isinstance(rate, int) and rate > 0 else 16_000),
        )

    def _text_input(self, members: Members) -> None:
        content = self._open("textInput", members, "TEXT")
        content.text += _text("textInput", members, "content", empty=True)

    def _tool_result(self, members: Members) -> None:
        content = self._open("toolResult", members, "TOOL")
        content.text += _text("toolResult", members, "content", empty=True)

    def _audio_input(self, members: Members) -> Turn | None:
        content = self._open("audioInput", members, "AUDIO")
        try:
            sound = b64decode(_text("audioInput", members, "content", empty=True), validate=True)
        except ValueError:
            raise BadInput("audioInput: content is not base64.") from None
        return self._speech(content.listener) if content.listener.hear(sound) else None

    def _content_end(self, members: Members) -> Turn | None:
        content = self._open("contentEnd", members)
        del self._contents[members["contentName"]]
        match content.type, content.role:
            case "TOOL", _:
                return self._result(content)
            case "AUDIO", _:
                return self._speech(content.listener) if content.listener.spoken else None
            case _, "USER" | "ASSISTANT" as role:
                self._say(role.lower(), {"text": content.text})
                return Turn() if content.interactive and role == "USER" else None
            case _:
                self.body.setdefault("system", []).append({"text": content.text})
                return None

    def _speech(self, listener: Listener) -> Turn:
        """Nobody understood it, so the text of the turn tells how long it was."""
        spoken = listener.spoken
        listener.forget()
        self._say("user", {"text": f"[{spoken:.1f} s of speech]"})
        return Turn(spoken)

    def _result(self, content: _Content) -> Turn | None:
        if content.tool_use_id not in self._awaited:
            waits = ", ".join(self._awaited) or "none"
            raise BadInput(
                f"A tool result came for the toolUseId {content.tool_use_id!r}; waited for: {waits}."
            )
        self._awaited.remove(content.tool_use_id)
        try:
            result: dict[str, Json] = {"json": json_object(content.text.encode())}
        except ValueError:
            result = {"text": content.text}
        self._say("user", {"toolResult": {"toolUseId": content.tool_use_id, "content": [result]}})
        return None if self._awaited else Turn(continues=True)

    def _end(self, _: Members) -> None:
        self.over = True

    def _say(self, role: str, block: Members) -> None:
        """Results of tools that were called together belong into one message."""
        last: Any = self.body["messages"][-1] if self.body["messages"] else {}
        together = "toolResult" in block and last.get("role") == role and "toolResult" in last["content"][0]
        if together:
            last["content"].append(block)
        else:
            self.body["messages"].append({"role": role, "content": [block]})

    def _of_the_prompt(self, event: str, members: Members) -> None:
        name = _text(event, members, "promptName")
        if name != self.prompt:
            raise BadInput(f"{event}: no promptStart named the prompt {name!r}.")

    def _open(self, event: str, members: Members, kind: str = "") -> _Content:
        self._of_the_prompt(event, members)
        name = _text(event, members, "contentName")
        content = self._contents.get(name)
        if content is None or kind not in ("", content.type):
            wanted = f"content of type {kind}" if kind else "content"
            raise BadInput(f"{event}: no {wanted} named {name!r} is open.")
        return content


def _text(event: str, members: Members, member: str, *, empty: bool = False) -> str:
    value = members.get(member)
    if not isinstance(value, str) or not (value or empty):
        raise BadInput(f"{event}: {member} must be a string{'' if empty else ' that is not empty'}.")
    return value


def _tool(tool: Json) -> Json:
    """A tool in Converse's terms: here the schema is a string with JSON in it."""
    match tool:
        case {"toolSpec": {"name": str(), "inputSchema": {"json": schema}} as spec}:
            try:
                read = json.loads(schema) if isinstance(schema, str) else schema
            except (ValueError, RecursionError):
                raise BadInput(f"promptStart: the inputSchema of {spec['name']!r} is not JSON.") from None
            return {"toolSpec": {**spec, "inputSchema": {"json": read}}}
        case _:
            raise BadInput("promptStart: a tool must be {toolSpec: {name, inputSchema: {json: …}}}.")
