"""Rules of the models themselves, which surface in the first frame of a stream. See `rule`."""

import json

from converse_emulator.judging.media_types import detected
from converse_emulator.judging.request_rules import cache_points
from converse_emulator.judging.rule import CONVERSE, NATIVE, Places, Rule, Subject, when
from converse_emulator.judging.schema_limits import unsupported
from converse_emulator.scripting.tokens import count_request

MOST_TEXT = 9_000_000  # bytes
MOST_FILES = 100  # images and documents
MOST_CACHE_POINTS = 4


def _text_bytes(subject: Subject) -> Places | None:
    texts = (block["text"] for _, _, block in subject.blocks() if isinstance(block.get("text"), str))
    size = sum(len(text.encode("utf-8", "replace")) for text in texts)
    return {"size": size} if size > MOST_TEXT else None


def _too_long(subject: Subject) -> Places | None:
    room = subject.model.context
    if room is None or "context-1m" in str(subject.body.get("additionalModelRequestFields") or ""):
        return None
    # No token is shorter than a character: counting is for those that may be too long.
    return when(_characters(subject.body) > room and count_request(subject.body) > room)


def _characters(value: object) -> int:
    match value:
        case str():
            return len(value)
        case dict():
            return sum(len(name) + _characters(member) for name, member in value.items())
        case list():
            return sum(map(_characters, value))
        case _:
            return 1


def _prefill(subject: Subject) -> Places | None:
    return when(subject.last_is_assistant)


def _prefill_with_tools(subject: Subject) -> Places | None:
    return when(subject.last_is_assistant and bool(subject.tools))


def _trailing_space(subject: Subject) -> Places | None:
    if not subject.last_is_assistant or not subject.messages[-1].blocks:
        return None
    text = subject.messages[-1].blocks[-1].get("text")
    return when(isinstance(text, str) and text != text.rstrip())


def _whitespace(subject: Subject) -> Places | None:
    """Beside other content it is taken."""
    contents = (message.blocks for message in subject.messages)
    return when(any(blocks and all(_is_blank(block.get("text")) for block in blocks) for blocks in contents))


def _is_blank(text: object) -> bool:
    return isinstance(text, str) and not text.strip()


def _files(subject: Subject) -> Places | None:
    found = [sum(1 for _ in subject.everywhere(kind)) for kind in ("image", "document")]
    return {"images": found[0], "documents": found[1]} if sum(found) > MOST_FILES else None


def _both_samplers(subject: Subject) -> Places | None:
    config = subject.body.get("inferenceConfig") or {}
    return when("temperature" in config and "topP" in config)


def _cache_points(subject: Subject) -> Places | None:
    found = cache_points(subject)
    return {"found": found} if found > MOST_CACHE_POINTS else None


def _document_by_s3(subject: Subject) -> Places | None:
    for n, m, document in subject.members("document"):
        if "s3Location" in (document.get("source") or {}):
            return {"n": n, "m": m}
    return None


def _document_in_result(subject: Subject) -> Places | None:
    for n, m, document in subject.result_members("document"):
        if "s3Location" in (document.get("source") or {}):
            return {"n": n, "m": m}
    return None


def _strict_tool(subject: Subject) -> Places | None:
    for n, tool in enumerate(subject.tools):
        spec = tool.get("toolSpec") or {}
        if spec.get("strict") and (what := unsupported(spec["inputSchema"].get("json"))):
            return {"n": n, "what": what}
    return None


def _output_schema(subject: Subject) -> Places | None:
    form = ((subject.body.get("outputConfig") or {}).get("textFormat") or {}).get("structure") or {}
    try:
        schema = json.loads((form.get("jsonSchema") or {}).get("schema") or "null")
    except ValueError:
        return None
    what = unsupported(schema)
    return {"what": what} if what else None


def _media_type(subject: Subject) -> Places | None:
    for image in subject.everywhere("image"):
        expected = f"image/{image['format']}"
        found = detected((image.get("source") or {}).get("bytes") or "")
        if found and found != expected:
            return {"detected": found, "expected": expected}
    return None


MODEL_RULES = (
    Rule(
        "total-text",
        "model",
        "too many total text bytes: {size} > 9000000",
        _text_bytes,
        "recorded",
        "2025-09",
        families=("claude",),
        operations=(*CONVERSE, *NATIVE),
    ),
    Rule(
        "context-claude",
        "model",
        "Input is too long for requested model.",
        _too_long,
        "recorded",
        "2026-08",
        families=("claude",),
        operations=(*CONVERSE, *NATIVE),
        note="Tokens as the emulator counts them; not with the beta for a million tokens of context.",
    ),
    Rule(
        "context-nova",
        "model",
        "Input Tokens Exceeded: Number of input tokens exceeds maximum length. "
        "Please update the input to try again.",
        _too_long,
        "recorded",
        families=("nova",),
        operations=(*CONVERSE, *NATIVE),
        note="Tokens as the emulator counts them.",
    ),
    Rule(
        "prefill",
        "model",
        "This model does not support assistant message prefill. "
        "The conversation must end with a user message.",
        _prefill,
        "reported",
        "2026-05",
        lacking="prefill",
        operations=(*CONVERSE, *NATIVE),
    ),
    Rule(
        "prefill-with-tools",
        "model",
        "Your API request included an `assistant` message in the final position, which would pre-fill the "
        "`assistant` response. When using tools, pre-filling the `assistant` response is not supported.",
        _prefill_with_tools,
        "recorded",
        "2026-02",
        models=(
            "anthropic.claude-3-haiku",
            "anthropic.claude-3-sonnet",
            "anthropic.claude-3-opus",
            "anthropic.claude-3-5-sonnet",
        ),
        operations=(*CONVERSE, *NATIVE),
        note="Recorded for Claude 3 Sonnet, reported for others.",
    ),
    Rule(
        "trailing-whitespace",
        "model",
        "messages: final assistant content cannot end with trailing whitespace",
        _trailing_space,
        "reported",
        families=("claude",),
        operations=(*CONVERSE, *NATIVE),
    ),
    Rule(
        "non-whitespace-text",
        "model",
        "messages: text content blocks must contain non-whitespace text",
        _whitespace,
        "reported",
        "2026-07",
        families=("claude",),
        note="Blank text beside other content was taken (six recordings).",
    ),
    Rule(
        "too-many-files",
        "model",
        "too many images and documents: {images} + {documents} > 100",
        _files,
        "reported",
        "2025-10",
        families=("claude",),
        note="Reported with the limit 20, which is 100 since.",
    ),
    Rule(
        "one-sampler",
        "model",
        "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        _both_samplers,
        "recorded",
        lacking="temperature_with_top_p",
        operations=(*CONVERSE, *NATIVE),
    ),
    Rule(
        "cache-points",
        "model",
        "A maximum of 4 blocks with cache_control may be provided. Found {found}.",
        _cache_points,
        "reported",
        families=("claude",),
        operations=(*CONVERSE, *NATIVE),
    ),
    Rule(
        "document-by-s3",
        "model",
        "messages.{n}.content.{m}.document.source.type: Field required",
        _document_by_s3,
        "recorded",
        "2026-08",
        families=("claude",),
    ),
    Rule(
        "document-in-result",
        "model",
        "Malformed input request: #/messages/{n}/content/{m}: extraneous key [toolResult] is not permitted, "
        "please reformat your input and try again.",
        _document_in_result,
        "recorded",
        "2026-08",
        families=("nova",),
        note="For documents by their S3 location.",
    ),
    Rule(
        "strict-tool-schema",
        "model",
        "tools.{n}.custom: {what}",
        _strict_tool,
        "recorded",
        "2026-04",
        families=("claude",),
    ),
    Rule(
        "output-schema",
        "model",
        "output_config.format.schema: {what}",
        _output_schema,
        "recorded",
        "2026-04",
        families=("claude",),
    ),
    Rule(
        "image-type",
        "model",
        "The detected file MIME type {detected} does not match the expected type {expected}. "
        "Reformat your input and try again.",
        _media_type,
        "recorded",
        "2026-09",
        families=("nova",),
    ),
)
