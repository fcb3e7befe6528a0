"""The scenario language: one table of steps, which the loader reads by and the JSON Schema is made from.

A step is a bare word (`finish`) or a mapping with one key that names it. Beside it a content step may have
modifiers, `{text: Hi, every: 12.5ms, split: words}`, and a fault its place, `{drop: , at: metadata}`.
"""

from collections.abc import Iterator, Mapping

from converse_emulator.http.refusals import REFUSALS
from converse_emulator.language import arguments as arg
from converse_emulator.language.fault_grammar import FAULTS
from converse_emulator.language.forms import Form, Made, OneOf, Word
from converse_emulator.language.records import Anything, Field, Record
from converse_emulator.language.rules import Applied, Rule
from converse_emulator.language.scenario import (
    Bytes,
    Every,
    Gate,
    Image,
    Metadata,
    Reasoning,
    Refuse,
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

STEPS: Mapping[str, Rule] = {
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
        placed=True,
    ),
    "event": Applied("Any event of the service model, literally.", arg.EventForm(), placed=True),
    "wait": Applied("Nothing happens for this long.", Made(arg.PATIENCE, Wait), placed=True),
    "every": Applied("The time before each further delta from here on.", Made(arg.DURATION, Every)),
    "split": Applied("How content is cut into deltas from here on.", Made(arg.SPLIT, SplitBy)),
    "gate": Applied("Hold until this gate is opened from outside.", Made(arg.GATE_NAME, Gate), placed=True),
    "stop": Applied("The reason for which the message ends.", _STOP),
    "usage": Applied("Replaces counted members of the usage.", Made(arg.USAGE, Usage)),
    "metadata": Applied("Further members of the metadata event.", Made(arg.METADATA, Metadata)),
    "refuse": Applied("An HTTP error in place of a stream.", _REFUSE),
    "throw": Applied("An exception in the stream, which ends it.", _THROW, placed=True),
    **FAULTS,
}
