"""Replies and whole scenarios: a reply is a string or a list of steps, a scenario has one or more.

A file needs `title` and `handlers`; what a test arms does not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from converse_emulator.language import arguments as arg
from converse_emulator.language.conditions import instead
from converse_emulator.language.forms import Form, Gather, Made, OneOf, Word
from converse_emulator.language.nodes import Items, Node, Scalar
from converse_emulator.language.order import violations
from converse_emulator.language.records import Field, ListOf, MapOf, Record
from converse_emulator.language.scenario import Alternative, Json, Match, Reply, Scenario, Text
from converse_emulator.language.step_form import STEP
from converse_emulator.language.wrap import Wrap
from converse_emulator.language.wrap_form import WRAP


@dataclass(frozen=True, slots=True)
class ReplyForm(Form[Reply]):
    """A string, which is the answer's text, or a list of steps in an order that can be."""

    @property
    def wants(self) -> str:
        return "a string (the answer's text) or a list of steps"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Items) or (isinstance(node, Scalar) and isinstance(node.value, str))

    def read(self, node: Node) -> Reply:
        match node:
            case Scalar(str() as text):
                return (Text(text),)
            case Items(nodes):
                return self._steps(nodes)
            case _:
                raise self.refuse(node)

    def _steps(self, nodes: Sequence[Node]) -> Reply:
        gather = Gather()
        read = [(gather.read(STEP, node), node.place) for node in nodes]
        gather.settle()
        steps = [(step, place) for step, place in read if step is not None]
        gather.mistakes += violations(steps)
        gather.settle()
        return tuple(step for step, _ in steps)

    def schema(self) -> dict[str, Json]:
        return {"$ref": "#/$defs/reply"}


def _prompt(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == "/":
        try:
            re.compile(value[1:-1])
        except re.error as error:
            raise ValueError(f"{value} is no regular expression: {error}") from error
    return value


# In which a model says something.
OPERATIONS = (
    "Converse",
    "ConverseStream",
    "InvokeModel",
    "InvokeModelWithResponseStream",
    "InvokeModelWithBidirectionalStream",
)
REPLY = ReplyForm()
INSTEAD = instead(REPLY)
MATCH = Record(
    Match,
    {
        "operation": Field(Word(lambda: OPERATIONS), "Which operation is called."),
        "model": Field(arg.NAME, "A glob over the model id."),
        "prompt": Field(
            Made(arg.NAME, _prompt),
            "Occurs in the last user text, case ignored; /…/ is a regular expression.",
        ),
        "tool_result": Field(arg.NAME, "The name of a tool whose result the last message brings."),
        "call": Field(arg.whole("a whole number from 1", 1), "The n-th call of the conversation."),
        "header": Field(MapOf(arg.STRING, arg.HEADER_NAME), "Header names to globs over their values."),
    },
)


def _scenario(
    replies: Sequence[Reply] = (),
    title: str = "",
    handlers: str = "",
    match: Match | None = None,
    instead: Sequence[Alternative] = (),
    wrap: Wrap | None = None,
) -> Scenario:
    return Scenario("", title, handlers, tuple(replies), match, tuple(instead), wrap)


def _of_text(text: str) -> Scenario:
    return _scenario([(Text(text),)], "Answers with a text.", "Show it.")


def _mappings(*, file: bool) -> tuple[Form[Scenario], ...]:
    about = {
        "title": Field(arg.NAME, "One sentence: what the model does.", required=file),
        "handlers": Field(arg.NAME, "One sentence: what a good handler does about it.", required=file),
        "match": Field(MATCH, "Which requests this is for. Every member that is given must agree."),
        "instead": Field(INSTEAD, "Other replies for some of the requests; the first that holds is played."),
    }
    if not file:
        about["wrap"] = Field(WRAP, "What is done to whatever is played.")
    one = Field(REPLY, "What the model says, every time.", required=True)
    several = Field(
        ListOf(REPLY, at_least=1),
        "What it says at each turn of the conversation; the last one repeats.",
        required=True,
    )
    # With nothing but alternatives the rest is answered automatically.
    alone = {**about, "instead": replace(about["instead"], required=True)}
    by_itself = (Record(_scenario, alone, tag="instead"),) if file else ()
    return (
        Record(lambda reply, **rest: _scenario([reply], **rest), {**about, "reply": one}, tag="reply"),
        Record(_scenario, {**about, "replies": several}, tag="replies"),
        *by_itself,
        Record(_scenario, {**about, "replies": several}),
    )


FILE: Form[Scenario] = OneOf((Made(arg.STRING, _of_text), *_mappings(file=True)))
ARMED: Form[Scenario] = OneOf((Made(REPLY, lambda reply: _scenario([reply])), *_mappings(file=False)))
