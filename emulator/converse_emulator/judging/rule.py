"""What a rule is, and what it looks at.

A rule is what Bedrock, or the model behind it, refuses although the service model allows it. Where the
refusal surfaces depends on who refuses:

    identifier   by Bedrock, for any operation with a model id: HTTP 400 before everything else
    converse     by Bedrock's Converse layer: HTTP 400 before the stream
    model        by the model: Converse answers HTTP 400; ConverseStream HTTP 200, and the first frame is a
                 `validationException`. These texts have a prefix there; InvokeModel and its like have none
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

from converse_emulator.choosing.conversation import Message
from converse_emulator.http.refusals import Evidence
from converse_emulator.language.scenario import Json
from converse_emulator.models.catalogue import Capability, Model
from converse_emulator.models.model_ids import Identifier

Layer = Literal["identifier", "converse", "model"]
Block = Mapping[str, Json]
Places = Mapping[str, object]  # what fills the placeholders of a rule's text

CONVERSE = ("Converse", "ConverseStream")
NATIVE = ("InvokeModel", "InvokeModelWithResponseStream")  # their bodies are read as Converse would have them
INVOKE = (*NATIVE, "InvokeModelWithBidirectionalStream")
PREFIX = "The model returned the following errors: "


class Subject(NamedTuple):
    """A request that keeps the constraints of the service model, and the model it is for."""

    operation: str
    model_id: str  # as the client wrote it
    named: Identifier | None  # None: the id looks like none of Bedrock's
    model: Model
    known: bool  # whether the id leads to a model, be it listed or of a known form
    body: Mapping[str, Json]
    messages: tuple[Message, ...]

    @property
    def tools(self) -> list[Block]:
        """What the request offers as `toolConfig.tools`."""
        return list((self.body.get("toolConfig") or {}).get("tools") or ())

    @property
    def last_is_assistant(self) -> bool:
        """Whether the answer is to go on with what the last message says."""
        return bool(self.messages) and self.messages[-1].role == "assistant"

    def blocks(self) -> Iterator[tuple[int, int, Block]]:
        """The content blocks with the numbers of their message and of themselves."""
        for n, message in enumerate(self.messages):
            for m, block in enumerate(message.blocks):
                yield n, m, block

    def members(self, name: str) -> Iterator[tuple[int, int, Block]]:
        """Those blocks that have the member `name`, which is given instead of the block."""
        for n, m, block in self.blocks():
            if name in block:
                yield n, m, block[name]

    def result_members(self, name: str) -> Iterator[tuple[int, int, Block]]:
        """The same within tool results, with the numbers of the results."""
        for n, m, result in self.members("toolResult"):
            for block in result.get("content") or ():
                if name in block:
                    yield n, m, block[name]

    def everywhere(self, name: str) -> Iterator[Block]:
        """Those members in messages and in tool results."""
        for found in (self.members(name), self.result_members(name)):
            yield from (block for _, _, block in found)


Check = Callable[[Subject], Places | None]


class Rule(NamedTuple):
    """One thing that is refused. `check` gives what fills the placeholders of `text`, or None: all is well.

    It binds the models whose ids begin as in `models`, whose families are among `families` and not among
    `but`, and that lack the capability `lacking`; what is not given does not narrow it. A model whose family
    its id does not tell is bound only by rules that hold for all families.
    """

    name: str
    layer: Layer
    text: str
    check: Check
    evidence: Evidence
    seen: str = ""  # year and month of the newest evidence, or a span
    models: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    lacking: Capability | None = None
    operations: tuple[str, ...] = CONVERSE
    error: str = "ValidationException"
    by_default: bool = True
    note: str = ""  # what the evidence does not cover, or how it came about

    def binds(self, operation: str, model: Model) -> bool:
        """Whether requests of `operation` to `model` have to keep this rule."""
        return (
            operation in self.operations
            and (self.lacking is None or self.lacking not in model.supports)
            and (not self.families or model.family in self.families)
            and (not self.but or (model.family != "" and model.family not in self.but))
            and (not self.models or model.id.startswith(self.models))
        )

    def broken_by(self, subject: Subject) -> str | None:
        """The message of the refusal; None if the request keeps the rule."""
        places = self.check(subject)
        if places is None:
            return None
        prefixed = self.layer == "model" and subject.operation in CONVERSE
        return (PREFIX if prefixed else "") + self.text.format_map(places)


def when(condition: bool) -> Places | None:
    """The finding of a check whose text has no placeholders."""
    return {} if condition else None
