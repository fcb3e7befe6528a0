"""How families of models speak, as one table: what a script does not say follows from the model's id.

Recorded of real Bedrock, except where a row says `inferred`. A script overrides each habit: by `split`, by
literal pieces (which are exactly the deltas), by `id` and `type`, by `usage`.
"""

from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import NamedTuple

from converse_emulator.models.model_ids import identify
from converse_emulator.scripting import ids

MakeId = Callable[[Random], str]


class Habits(NamedTuple):
    """What is usual for a model."""

    tokens: int | None = 1  # about so many in a text delta; None: all of the text
    leads: bool = False  # an empty text delta comes first of all
    trails: bool = False  # one comes last, where the model itself ends a text
    tool_whole: bool = False  # a tool's input in one delta, as compact JSON; else "" first, then pieces
    signs: bool = False  # reasoning ends in a signature
    reasons_whole: bool = False  # reasoning in one delta
    cites_apart: bool = (
        False  # citations are a block of their own, else they come first in that of their text
    )
    caches: bool = False  # Converse tells of the cache even when nobody asked for it
    native_tool_id: MakeId = ids.tool_use_id  # of a tool call in InvokeModel; in Converse all are alike
    native_ephemeral: bool = False  # the native usage tells how long what was cached lives


def _claude(tokens: int, *, caches: bool = False, ephemeral: bool = False) -> Habits:
    return Habits(
        tokens, signs=True, caches=caches, native_tool_id=ids.anthropic_tool_id, native_ephemeral=ephemeral
    )


def _nova(tokens: int) -> Habits:
    return Habits(tokens, trails=True, tool_whole=True, cites_apart=True, native_tool_id=ids.request_id)


_USUAL = Habits()
# The first prefix that fits counts. A number of tokens stands for the recorded median of characters.
TABLE: tuple[tuple[str, Habits], ...] = (
    ("anthropic.claude-instant", _claude(1)),
    ("anthropic.claude-v2", _claude(1)),
    ("anthropic.claude-3-haiku", _claude(1)),
    ("anthropic.claude-3-sonnet", _claude(1)),
    ("anthropic.claude-3-opus", _claude(1)),
    ("anthropic.claude-3-5-sonnet", _claude(6)),
    ("anthropic.claude-3-5-haiku", _claude(3, caches=True)),
    ("anthropic.claude-3-7", _claude(4, caches=True)),
    ("anthropic.claude-sonnet-4-2025", _claude(4, caches=True)),
    ("anthropic.claude-opus-4-2025", _claude(4, caches=True)),
    ("anthropic.claude-haiku-4-5", _claude(2, caches=True, ephemeral=True)),
    ("anthropic.", _claude(3, caches=True, ephemeral=True)),  # inferred: as those before
    ("amazon.nova-2", _nova(2)),
    ("amazon.nova", _nova(1)),
    ("amazon.titan", Habits(None)),
    ("meta.llama3-2", Habits(trails=True)),
    ("meta.", _USUAL),
    ("mistral.", Habits(trails=True, native_tool_id=ids.short_tool_id)),
    ("cohere.", _USUAL),
    ("deepseek.", Habits(2, trails=True)),
    ("ai21.jamba", Habits(leads=True, native_tool_id=ids.call_id)),
    ("openai.gpt-oss", Habits(None, leads=True, reasons_whole=True, native_tool_id=ids.vllm_tool_id)),
    ("openai.", Habits(leads=True, native_tool_id=ids.call_id)),  # inferred from gpt-oss and its native form
)


@lru_cache(maxsize=256)
def habits_of(model_id: str) -> Habits:
    """The habits of a model; those of most models for an id that does not tell which one it is."""
    named = identify(model_id)
    base = named.base if named else ""
    return next((habits for prefix, habits in TABLE if base.startswith(prefix)), _USUAL)
