"""Rules on the request as a whole: the model's id, and what the model lacks. See `rule`."""

from collections.abc import Mapping

from converse_emulator.judging.rule import CONVERSE, INVOKE, Places, Rule, Subject, when
from converse_emulator.language.scenario import Json

# ----------------------------------------------------------------------------------------- identifier


def _unknown(subject: Subject) -> Places | None:
    return when(not subject.known)


def _on_demand(subject: Subject) -> Places | None:
    bare = subject.named is not None and subject.named.kind == "foundation model"
    return {"id": subject.model_id} if bare and not subject.model.on_demand else None


def _uncountable(subject: Subject) -> Places | None:
    bare = subject.named is None or subject.named.kind == "foundation model"
    return when(not bare or "count_tokens" not in subject.model.supports)


IDENTIFIER_RULES = (
    Rule(
        "unknown-model",
        "identifier",
        "The provided model identifier is invalid.",
        _unknown,
        "recorded",
        "2026-08",
        operations=(*CONVERSE, *INVOKE, "CountTokens", "StartAsyncInvoke"),
        note="Here only ids that look like none of Bedrock's are unknown; a new model of a known provider is "
        "not.",
    ),
    Rule(
        "needs-profile",
        "identifier",
        "Invocation of model ID {id} with on-demand throughput isn\u2019t supported. Retry your request with "
        "the ID or ARN of an inference profile that contains this model.",
        _on_demand,
        "reported",
        "2026-08",
        operations=(*CONVERSE, *INVOKE),
        note="The apostrophe is U+2019. It depends on the region, too; here it is `on_demand: false`.",
    ),
    Rule(
        "no-token-counting",
        "identifier",
        "The provided model doesn't support counting tokens.",
        _uncountable,
        "reported",
        "2026-05",
        operations=("CountTokens",),
        note="Reported for Nova and for inference profiles; for ARNs inferred.",
    ),
)

# ------------------------------------------------------------------------------------------- converse


def _always(_: Subject) -> Places | None:
    return {}


def _streamed(subject: Subject) -> Places | None:
    return when(subject.operation == "ConverseStream")


def _system(subject: Subject) -> Places | None:
    return when(bool(subject.body.get("system")))


def _tools(subject: Subject) -> Places | None:
    return when(bool(subject.tools))


def _streamed_tools(subject: Subject) -> Places | None:
    return when(subject.operation == "ConverseStream" and bool(subject.tools))


def _max_tokens(subject: Subject) -> Places | None:
    limit = subject.model.max_output
    asked = (subject.body.get("inferenceConfig") or {}).get("maxTokens")
    return None if limit is None or asked is None or asked <= limit else {"limit": limit}


def cache_points(subject: Subject) -> int:
    """How many cachePoint blocks the request has."""
    contents = (message.blocks for message in subject.messages)
    blocks = [
        *(subject.body.get("system") or ()),
        *subject.tools,
        *(b for blocks in contents for b in blocks),
    ]
    return sum("cachePoint" in block for block in blocks)


def _cache_points(subject: Subject) -> Places | None:
    return when(cache_points(subject) > 0)


def _schema_no_object(subject: Subject) -> Places | None:
    return next(({"n": n} for n, schema in _schemas(subject) if not isinstance(schema, Mapping)), None)


def _schema_type(subject: Subject) -> Places | None:
    schemas = ((n, schema) for n, schema in _schemas(subject) if isinstance(schema, Mapping))
    return next(({"n": n} for n, schema in schemas if schema.get("type") != "object"), None)


def _schemas(subject: Subject) -> list[tuple[int, Json]]:
    specs = ((n, tool["toolSpec"]) for n, tool in enumerate(subject.tools) if "toolSpec" in tool)
    return [(n, spec["inputSchema"]["json"]) for n, spec in specs if "json" in spec["inputSchema"]]


REQUEST_RULES = (
    Rule(
        "no-converse",
        "converse",
        "This action doesn't support the model that you provided. "
        "Try again with a supported text or chat model.",
        _always,
        "inferred",
        lacking="converse",
    ),
    Rule(
        "no-streaming",
        "converse",
        "The model is unsupported for streaming.",
        _streamed,
        "reported",
        "2025-08",
        lacking="streaming",
        note="Of gpt-oss, which streams since.",
    ),
    Rule(
        "no-system",
        "converse",
        "This model doesn't support system messages. Try again without a system message or use a model that "
        "supports system messages.",
        _system,
        "reported",
        lacking="system",
    ),
    Rule(
        "no-tools",
        "converse",
        "This model doesn't support tool use.",
        _tools,
        "reported",
        "2025-04",
        lacking="tools",
    ),
    Rule(
        "no-streaming-tools",
        "converse",
        "This model doesn't support tool use in streaming mode.",
        _streamed_tools,
        "reported",
        "2026-09",
        lacking="streaming_tools",
    ),
    Rule(
        "no-caching",
        "converse",
        "You invoked an unsupported model or your request did not allow prompt caching. "
        "See the documentation for more information.",
        _cache_points,
        "reported",
        "2026-09",
        lacking="caching",
        error="AccessDeniedException",
        note="HTTP 403. The last sentence is inferred.",
    ),
    Rule(
        "max-tokens",
        "converse",
        "The maximum tokens you requested exceeds the model limit of {limit}. "
        "Try again with a maximum tokens value that is lower than {limit}.",
        _max_tokens,
        "reported",
        "2025-02",
        note="As far as `max_output` is known.",
    ),
    Rule(
        "tool-schema-format",
        "converse",
        "The format of the value at toolConfig.tools.{n}.toolSpec.inputSchema.json is invalid. "
        "Provide a json object for the field and try again.",
        _schema_no_object,
        "reported",
    ),
    Rule(
        "tool-schema-type",
        "converse",
        "The value at toolConfig.tools.{n}.toolSpec.inputSchema.json.type must be one of the following: "
        "object.",
        _schema_type,
        "reported",
        "2026-08",
        note="A missing `type` is refused, too.",
    ),
)
