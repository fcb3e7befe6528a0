"""One assistant message, put together from stream events while its text goes out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from converse_contract.mutants.bedrock import Event


@dataclass(slots=True)
class Block:
    """A content block. `index` is the one the browser sees, None until there is something to see."""

    kind: str  # text, thinking, tool
    index: int | None = None
    text: str = ""  # of a tool call: its input as JSON text, as far as it came
    signature: str = ""
    redacted: bytes = b""
    id: str = ""
    name: str = ""
    closed: bool = False


@dataclass(slots=True)
class Turn:
    """`index` is the next free index of the response; it runs on over the turns of one answer."""

    index: int
    blocks: dict[int, Block] = field(default_factory=dict)
    stop_reason: str | None = None
    usage: dict[str, int] | None = None

    @property
    def tools(self) -> list[Block]:
        return [block for block in self.blocks.values() if block.kind == "tool"]

    def take(self, event: Event) -> Iterator[dict[str, Any]]:
        """What the browser gets for an event of the stream."""
        if "contentBlockStart" in event:
            start = event["contentBlockStart"]
            self.begin(start["contentBlockIndex"], start["start"]["toolUse"])
        elif "contentBlockDelta" in event:
            yield from self.delta(event["contentBlockDelta"])
        elif "contentBlockStop" in event:
            yield from self.shut(self.blocks.get(event["contentBlockStop"]["contentBlockIndex"]))
        elif "messageStop" in event:
            self.stop_reason = event["messageStop"]["stopReason"]
        elif "metadata" in event:
            self.usage = event["metadata"].get("usage")

    def close(self) -> Iterator[dict[str, Any]]:
        """Close what is still open."""
        for block in self.blocks.values():
            yield from self.shut(block)

    def begin(self, place: int, tool: dict[str, str]) -> None:
        """Bedrock starts the blocks of tool calls only."""
        self.blocks[place] = Block("tool", id=tool["toolUseId"], name=tool["name"])

    def delta(self, event: dict[str, Any]) -> Iterator[dict[str, Any]]:
        place, delta = event["contentBlockIndex"], event["delta"]
        if "toolUse" in delta:
            self.blocks[place].text += delta["toolUse"]["input"]
        elif "reasoningContent" in delta:
            reasoning = delta["reasoningContent"]
            block = self.blocks.setdefault(place, Block("thinking"))
            block.signature += reasoning.get("signature", "")
            block.redacted += reasoning.get("redactedContent", b"")
            yield from self.show(block, reasoning.get("text", ""))
        elif "text" in delta:
            yield from self.show(self.blocks.setdefault(place, Block("text")), delta["text"])

    def show(self, block: Block, text: str) -> Iterator[dict[str, Any]]:
        if not text:
            return
        if block.index is None:
            block.index, self.index = self.index, self.index + 1
            yield {"type": "content_block_start", "index": block.index, "kind": block.kind}
        block.text += text
        delta = {block.kind: text}
        yield {"type": "content_block_delta", "index": block.index, "delta": delta}

    def shut(self, block: Block | None) -> Iterator[dict[str, Any]]:
        if block is not None and not block.closed:
            block.closed = True
            if block.index is not None:
                yield {"type": "content_block_stop", "index": block.index}
