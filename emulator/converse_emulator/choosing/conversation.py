"""What a request's conversation says. Takes any JSON: a body is looked at before anyone has judged it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from converse_emulator.http.content import once
from converse_emulator.language.scenario import Json

Body = Mapping[str, Json]


class Message(NamedTuple):
    """One message: who says it, and its content blocks."""

    role: str
    blocks: tuple[Mapping[str, Json], ...]

    @property
    def text(self) -> str:
        """Its text blocks, one a line."""
        return "\n".join(block["text"] for block in self.blocks if isinstance(block.get("text"), str))

    def members(self, name: str) -> list[Mapping[str, Json]]:
        """What stands under `name` in its blocks: its `toolUse` or `toolResult` members, for instance."""
        return [block[name] for block in self.blocks if isinstance(block.get(name), Mapping)]


@once
def messages(body: Body) -> tuple[Message, ...]:
    """The messages of the conversation."""
    return tuple(
        Message(str(message.get("role")), tuple(_mappings(message.get("content"))))
        for message in _mappings(body.get("messages"))
    )


def _mappings(value: Json) -> Iterator[Mapping[str, Json]]:
    return (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else iter(())


@once
def last_user_text(body: Body) -> str:
    """The text of the last message in which the user says something; tool results are no text."""
    return next((m.text for m in reversed(messages(body)) if m.role == "user" and m.text), "")


def answers(body: Body, since: int = 0) -> int:
    """How often the model has spoken from message number `since` on: the turn, counted from 0."""
    return _spoken(messages(body)[since:]) if since else _answers(body)


@once
def _answers(body: Body) -> int:
    return _spoken(messages(body))


def _spoken(said: Sequence[Message]) -> int:
    return sum(message.role == "assistant" for message in said)


def tool_results(body: Body) -> list[str]:
    """The names of the tools whose results the last message brings; of an unknown call its id."""
    conversation = messages(body)
    called = {
        str(call.get("toolUseId")): str(call.get("name"))
        for message in conversation
        if message.role == "assistant"
        for call in message.members("toolUse")
    }
    results = conversation[-1].members("toolResult") if conversation else []
    ids = [str(result.get("toolUseId")) for result in results]
    return [called.get(each, each) for each in ids]
