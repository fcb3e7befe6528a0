"""Model identifiers: what kind of thing one names, and which family of models that belongs to.

    anthropic.claude-3-haiku-20240307-v1:0                            a foundation model
    us.anthropic.claude-sonnet-4-6                                    an inference profile of the geography us
    arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0  either of them, as an ARN
    arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc…     something that does not tell its model

An id is told by its form and its provider: a new model is known before a catalogue lists it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

Kind = Literal[
    "foundation model",
    "inference profile",
    "application inference profile",
    "provisioned throughput",
    "custom model",
    "imported model",
    "prompt",
    "prompt router",
    "endpoint",
]

# The regions of each geography of inference profiles, as far as one call may be sent.
GEOGRAPHIES: Mapping[str, Sequence[str]] = {
    "us": ("us-east-1", "us-east-2", "us-west-2"),
    "us-gov": ("us-gov-east-1", "us-gov-west-1"),
    "eu": ("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3"),
    "apac": ("ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
    "jp": ("ap-northeast-1", "ap-northeast-3"),
    "au": ("ap-southeast-2", "ap-southeast-4"),
    "ca": ("ca-central-1", "ca-west-1"),
    "in": ("ap-south-1", "ap-south-2"),
    "global": ("",),  # its foundation models' ARNs have no region
}


class Family(NamedTuple):
    """Models that speak alike. `prefix` is how their ids begin."""

    prefix: str
    name: str
    provider: str


# The first prefix that fits counts.
FAMILIES = (
    Family("anthropic.", "claude", "Anthropic"),
    Family("amazon.nova-canvas", "nova-image", "Amazon"),
    Family("amazon.nova-reel", "nova-video", "Amazon"),
    Family("amazon.nova-sonic", "nova-sonic", "Amazon"),
    Family("amazon.nova-2-sonic", "nova-sonic", "Amazon"),
    Family("amazon.nova-2-5-sonic", "nova-sonic", "Amazon"),
    Family("amazon.nova-2-multimodal-embeddings", "nova-embeddings", "Amazon"),
    Family("amazon.nova-", "nova", "Amazon"),
    Family("amazon.titan-embed-", "titan-embeddings", "Amazon"),
    Family("amazon.titan-image-", "titan-image", "Amazon"),
    Family("amazon.titan-", "titan", "Amazon"),
    Family("amazon.rerank", "rerank", "Amazon"),
    Family("amazon.", "", "Amazon"),
    Family("meta.", "llama", "Meta"),
    Family("mistral.", "mistral", "Mistral AI"),
    Family("cohere.command-r", "command-r", "Cohere"),
    Family("cohere.command", "command", "Cohere"),
    Family("cohere.embed-", "cohere-embeddings", "Cohere"),
    Family("cohere.rerank", "rerank", "Cohere"),
    Family("cohere.", "", "Cohere"),
    Family("ai21.jamba-", "jamba", "AI21 Labs"),
    Family("ai21.j2-", "jurassic", "AI21 Labs"),
    Family("ai21.", "", "AI21 Labs"),
    Family("deepseek.", "deepseek", "DeepSeek"),
    Family("openai.gpt-oss-", "gpt-oss", "OpenAI"),
    Family("openai.", "gpt", "OpenAI"),
    Family("qwen.", "qwen", "Qwen"),
    Family("google.", "gemma", "Google"),
    Family("minimax.", "minimax", "MiniMax"),
    Family("moonshot.", "kimi", "Moonshot AI"),
    Family("moonshotai.", "kimi", "Moonshot AI"),
    Family("nvidia.", "nemotron", "NVIDIA"),
    Family("writer.", "palmyra", "Writer"),
    Family("zai.", "glm", "Z.AI"),
    Family("xai.", "grok", "xAI"),
    Family("stability.", "stability", "Stability AI"),
    Family("twelvelabs.", "twelvelabs", "TwelveLabs"),
    Family("luma.", "luma", "Luma AI"),
)

_PROVIDERS = "|".join(sorted({family.prefix.partition(".")[0] for family in FAMILIES}))
_PLAIN = re.compile(
    rf"(?:(?P<geography>{'|'.join(GEOGRAPHIES)})\.)?"
    rf"(?P<base>(?:{_PROVIDERS})\.[a-z0-9.-]+(:\d+(:[a-z0-9]+)?)?)"
)
_ARN = re.compile(
    r"arn:aws[a-z-]*:(?P<service>bedrock|sagemaker):[a-z0-9-]*:\d*:(?P<resource>[a-z-]+)/(?P<rest>.+)"
)
_RESOURCES: Mapping[str, Kind] = {
    "application-inference-profile": "application inference profile",
    "provisioned-model": "provisioned throughput",
    "imported-model": "imported model",
    "custom-model-deployment": "custom model",
    "prompt": "prompt",
    "prompt-router": "prompt router",
    "default-prompt-router": "prompt router",
    "endpoint": "endpoint",
}


class Identifier(NamedTuple):
    """What an id names. `base` is the foundation model's id; empty where the id does not tell it."""

    kind: Kind
    base: str = ""
    geography: str = ""


def identify(model_id: str) -> Identifier | None:
    """What `model_id` names; None for what looks like no id of Bedrock's."""
    if arn := _ARN.fullmatch(model_id):
        return _resource(arn["resource"], arn["rest"])
    plain = _PLAIN.fullmatch(model_id)
    if not plain:
        return None
    if plain["geography"]:
        return Identifier("inference profile", plain["base"], plain["geography"])
    return Identifier("foundation model", plain["base"])


def _resource(resource: str, rest: str) -> Identifier | None:
    match resource:
        case "foundation-model" | "inference-profile":
            named = identify(rest)
            return named if named and named.kind == resource.replace("-", " ") else None
        case "custom-model":
            base = identify(rest.partition("/")[0])
            return Identifier("custom model", base.base if base else "")
        case _:
            kind = _RESOURCES.get(resource)
            return Identifier(kind) if kind else None


def family_of(model_id: str) -> Family | None:
    """The family of a model by any id that tells it; None for one that does not."""
    named = identify(model_id)
    if named is None or not named.base:
        return None
    return next((family for family in FAMILIES if named.base.startswith(family.prefix)), None)


def family(model_id: str) -> str:
    """The name of the family, `claude` for instance; empty if the id does not tell it."""
    found = family_of(model_id)
    return found.name if found else ""
