"""Which format a family of models speaks in InvokeModel: one table."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from converse_emulator.errors import EmulatorError
from converse_emulator.models.model_ids import family
from converse_emulator.native.format import Body, Format

# Of each family the modules here that hold its formats, by the member of a request that tells them apart.
FAMILIES: Mapping[str, Mapping[str, str]] = {
    "claude": {"prompt": "anthropic_text", "": "anthropic"},
    "nova": {"": "nova"},
    "titan": {"": "titan"},
    "llama": {"": "llama"},
    "mistral": {"prompt": "mistral", "": "mistral_chat"},
    "command": {"": "command"},
    "command-r": {"": "command_r"},
    "jamba": {"": "jamba"},
    "deepseek": {"prompt": "deepseek", "": "openai"},
    "gpt-oss": {"": "openai"},
    "gpt": {"": "openai"},
    "titan-embeddings": {"": "titan_embeddings"},
    "cohere-embeddings": {"": "cohere_embeddings"},
    "titan-image": {"": "images"},
    "nova-image": {"": "images"},
}
# Families whose native format is taken to be that of chat completions (inferred).
ALIKE = ("qwen", "gemma", "minimax", "kimi", "nemotron", "glm", "grok")


class UnknownFamily(EmulatorError):
    """A model whose native format is not known."""

    def __init__(self, model_id: str) -> None:
        super().__init__(
            f"The native format of {model_id!r} is not known to this emulator. Known are "
            f"{', '.join(sorted((*FAMILIES, *ALIKE)))}. A scenario's `bytes:` step gives the body or the "
            "chunks of any other model literally, and Converse needs no native format."
        )


def format_of(model_id: str, native: Body) -> Format:
    """The format of a request; raises `UnknownFamily`."""
    found = _format(family(model_id), native)
    if found is None:
        raise UnknownFamily(model_id)
    return found


def known_format(model_id: str, native: Body) -> Format | None:
    """The same, or None."""
    return _format(family(model_id), native)


def _format(name: str, native: Body) -> Format | None:
    modules = {"": "openai"} if name in ALIKE else FAMILIES.get(name)
    if modules is None:
        return None
    return _loaded(next(module for member, module in modules.items() if not member or member in native))


@cache
def _loaded(module: str) -> Format:
    """Formats are imported when a model speaks one."""
    found: Format = import_module(f"{__package__}.{module}").FORMAT
    return found
