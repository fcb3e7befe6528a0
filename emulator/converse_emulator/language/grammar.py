"""The scenario language: one table of steps, which the loader reads by and the JSON Schema is made from.

A step is a bare word (`finish`) or a mapping with one key that names it, beside which a content step
may have modifiers: `{text: Hi, every: 12.5ms, split: words}`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from converse_emulator.errors import ScenarioError, did_you_mean
from converse_emulator.http.refusals import REFUSALS
from converse_emulator.language import arguments as arg
from converse_emulator.language.forms import Form, Gather, Made, OneOf, Word
from converse_emulator.language.nodes import Members, Node, Scalar
from converse_emulator.language.records import Anything, Field, Record
from converse_emulator.language.scenario import (
    Bytes,
    Corrupt,
    Cut,
    Every,
    Finish,
    Gate,
    Hangup,
    Image,
    Json,
    Metadata,
    Reasoning,
    Refuse,
    Reset,
    SplitBy,
    Step,
    Stop,
    Text,
    Throw,
    ToolUse,
    Usage,
    Wait,
)
from converse_emulator.shapes import service


@dataclass(frozen=True, slots=True)
class Bare:
    """A step without arguments: its name alone."""

    about: str
    step: Step


@dataclass(frozen=True, slots=True)
class Applied:
    """A step with an argument. `modified`: MODIFIERS may stand beside it."""

    about: str
    form: Form[Step]
    modified: bool = False


MODIFIERS: Mapping[str, Field] = {
    "every": Field(arg.DURATION, "The time before each further delta of this step."),
    "split": Field(arg.SPLIT, "How this step is cut into deltas."),
}

_REASONING: Form[Step] = OneOf(
    (
        Made(arg.STRING, Reasoning),
        Record(
            lambda redacted: Reasoning(redacted=redacted),
            {"redacted": Field(arg.BASE64, "Encrypted reasoning, base64.", required=True)},
            tag="redacted",
        ),
        Record(
            Reasoning,
            {
                "text": Field(arg.STRING, "The reasoning."),
                "signature": Field(arg.STRING, "Sent after the text, in a delta of its own."),
            },
        ),
    )
)
_TOOL_USE = Record(
    ToolUse,
    {
        "name": Field(arg.NAME, "The tool.", required=True),
        "input": Field(
            Anything(), "Any JSON; a string is sent literally, broken JSON included. Default: {}."
        ),
        "id": Field(arg.NAME, "The toolUseId. Default: made from the seed."),
        "type": Field(arg.NAME, "Default: told where the request has a system tool."),
    },
)
_TOOL_RESULT: Form[Step] = OneOf(
    (
        Made(arg.STRING, arg.tool_result_from),
        Record(
            arg.tool_result_from,
            {
                "content": Field(Anything(), "A list of content blocks, a text, or any JSON.", required=True),
                "status": Field(Word(lambda: ("success", "error")), "Default: success."),
                "id": Field(arg.NAME, "The toolUseId. Default: that of the last tool call."),
                "type": Field(arg.NAME, "Default: the name of the last tool call and `_result`."),
            },
        ),
    )
)
_IMAGE = Record(
    lambda data, format="png": Image(data, format),
    {
        "data": Field(arg.BASE64, "The image, base64.", required=True),
        "format": Field(Word(lambda: ("png", "jpeg", "gif", "webp")), "Default: png."),
    },
)
_STOP: Form[Step] = OneOf(
    (
        Made(Word(service.stop_reasons, open=True), Stop),
        Record(
            Stop,
            {
                "reason": Field(Word(service.stop_reasons, open=True), required=True),
                "fields": Field(arg.OBJECT, "additionalModelResponseFields."),
            },
        ),
    )
)
_REFUSE: Form[Step] = OneOf(
    (
        Made(Word(lambda: REFUSALS), Refuse),
        Record(
            Refuse,
            {
                "name": Field(Word(lambda: REFUSALS), "The exception.", required=True),
                "message": Field(arg.STRING, "Default: the text that Bedrock sends."),
                "status": Field(
                    arg.whole("an HTTP status from 400 to 599", 400, 599), "Default: the exception's."
                ),
                "headers": Field(arg.HEADERS, "Further headers, such as Retry-After."),
            },
        ),
    )
)


def _stream_exceptions() -> Iterator[str]:
    """Those of both kinds of streams: InvokeModel's has one more."""
    yield from dict.fromkeys(
        (*service.stream_exceptions(), *service.stream_exceptions(service.INVOKE_STREAM))
    )


_THROW: Form[Step] = OneOf(
    (
        Made(Word(_stream_exceptions), Throw),
        Record(
            lambda error, message=None: Throw(error, message, "error"),
            {
                "error": Field(arg.NAME, "`:error-code` of an unmodelled error.", required=True),
                "message": Field(arg.STRING, "`:error-message`."),
            },
            tag="error",
        ),
        Record(
            lambda exception, message=None: Throw(exception, message),
            {
                "exception": Field(arg.NAME, "`:exception-type`, modelled or not.", required=True),
                "message": Field(arg.STRING, "Default: the text that Bedrock sends."),
            },
        ),
    )
)

STEPS: Mapping[str, Bare | Applied] = {
    "text": Applied(
        "Text of the answer; adjacent ones share a block.", Made(arg.STRING, Text), modified=True
    ),
    "reasoning": Applied("A reasoning block.", _REASONING, modified=True),
    "tool_use": Applied("A tool call.", _TOOL_USE, modified=True),
    "tool_result": Applied("What a system tool gave.", _TOOL_RESULT),
    "citation": Applied("Where the following text comes from.", arg.CITATION),
    "image": Applied("An image.", _IMAGE),
    "bytes": Applied(
        "Bytes, literally: a chunk or the body of InvokeModel, elsewhere part of the response.",
        Made(arg.TEXT_OR_BASE64, Bytes),
    ),
    "event": Applied("Any event of the service model, literally.", arg.EventForm()),
    "wait": Applied("Nothing happens for this long.", Made(arg.PATIENCE, Wait)),
    "every": Applied("The time before each further delta from here on.", Made(arg.DURATION, Every)),
    "split": Applied("How content is cut into deltas from here on.", Made(arg.SPLIT, SplitBy)),
    "gate": Applied("Hold until this gate is opened from outside.", Made(arg.GATE_NAME, Gate)),
    "stop": Applied("The reason for which the message ends.", _STOP),
    "usage": Applied("Replaces counted members of the usage.", Made(arg.USAGE, Usage)),
    "metadata": Applied("Further members of the metadata event.", Made(arg.METADATA, Metadata)),
    "refuse": Applied("An HTTP error in place of a stream.", _REFUSE),
    "throw": Applied("An exception in the stream, which ends it.", _THROW),
    "corrupt": Applied("Damage the next frame.", Made(Word(lambda: ("prelude_crc", "message_crc")), Corrupt)),
    "cut": Applied("Send only so many bytes, or this part, of the next frame.", Made(arg.CUT, Cut)),
    "finish": Bare("End the response here as if it were complete.", Finish()),
    "hangup": Bare("Close the connection (FIN) without the last chunk.", Hangup()),
    "reset": Bare("Reset the connection (RST).", Reset()),
}
BARE = tuple(name for name, rule in STEPS.items() if isinstance(rule, Bare))


@dataclass(frozen=True, slots=True)
class StepForm(Form[Step]):
    """A step, by the table."""

    @property
    def wants(self) -> str:
        return "a step: " + ", ".join(STEPS)

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(STEPS)

    def fits(self, node: Node) -> bool:
        return isinstance(node, Members) or (isinstance(node, Scalar) and node.value in BARE)

    def read(self, node: Node) -> Step:
        match node:
            case Scalar(str() as word):
                return self._bare(word, node)
            case Members() if node.nodes:
                return self._applied(node)
            case _:
                raise self.refuse(node)

    def _bare(self, word: str, node: Scalar) -> Step:
        rule = STEPS.get(word)
        if isinstance(rule, Bare):
            return rule.step
        gather = Gather()
        if rule is None:
            gather.add(
                node.place,
                f"{word!r} is no step without an argument{did_you_mean(word, STEPS)}; text is {{text: …}}",
                ", ".join(BARE),
            )
        else:
            gather.add(node.place, f"{word!r} needs an argument", f"{{{word}: {rule.form.wants}}}")
        raise ScenarioError(gather.mistakes)

    def _applied(self, node: Members) -> Step:
        gather = Gather()
        name = self._name(node, gather)
        gather.settle()
        rule = STEPS[name]
        if isinstance(rule, Bare):
            gather.add(node.key_place(name), f"{name!r} takes no argument", f"the word alone: {name}")
            raise ScenarioError(gather.mistakes)
        allowed = MODIFIERS if rule.modified else {}
        for other in (other for other in node.nodes if other != name and other not in allowed):
            gather.add(
                node.key_place(other),
                f"{other!r} cannot stand beside {name!r}{did_you_mean(other, allowed)}",
                ", ".join(allowed) or "nothing; each step is an item of its own",
            )
        step = gather.read(rule.form, node.nodes[name])
        beside: dict[str, Any] = {
            other: gather.read(member.form, node.nodes[other])
            for other, member in allowed.items()
            if other in node.nodes
        }
        gather.settle()
        assert step is not None
        return replace(step, **beside)

    def _name(self, node: Members, gather: Gather) -> str:
        """Which of the keys names the step: the one that is not there as a modifier."""
        known = [name for name in node.nodes if name in STEPS]
        heads = [name for name in known if name not in MODIFIERS] or known
        if not heads:
            for name in node.nodes:
                gather.add(
                    node.key_place(name),
                    f"unknown step {name!r}{did_you_mean(name, STEPS)}",
                    ", ".join(STEPS),
                )
            return ""
        for name in heads[1:]:
            what = f"{name!r} is a second step in the mapping of {heads[0]!r}"
            gather.add(node.key_place(name), what, "each step is an item of its own")
        return heads[0]

    def schema(self) -> dict[str, Json]:
        return {"$ref": "#/$defs/step"}


STEP = StepForm()
