"""What is measured, in Prometheus' terms, and the one log line of each answer. Never a word of its text."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from converse_handler.conversation import Answer
from converse_handler.events import Event, Failed, Finished, Text, Thinking, ToolFinished

log = logging.getLogger("converse_handler.chat")

FIRST_BYTE_BUCKETS = (0.1, 0.25, 0.5, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
LOGGED = 12  # characters of an answer's id: enough to find it, too few to read it
GAP_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The instruments, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.first_byte = Histogram(
            "chat_first_byte_seconds",
            "From the request to the first visible delta",
            buckets=FIRST_BYTE_BUCKETS,
            registry=self.registry,
        )
        self.gaps = Histogram(
            "chat_gap_seconds", "Between two visible deltas", buckets=GAP_BUCKETS, registry=self.registry
        )
        self.ends = Counter("chat_ends", "Answers by how they ended", ["reason"], registry=self.registry)
        self.tools = Counter("chat_tool_calls", "Tool calls", ["result"], registry=self.registry)
        self.tokens = Counter("chat_tokens", "Tokens, Bedrock's count", ["kind"], registry=self.registry)
        self.open = Gauge("chat_open_streams", "Answers under way", registry=self.registry)


@dataclass(slots=True)
class Record:
    """One answer as it goes: `see` every event, `end` once. Times are seconds of the monotonic clock."""

    answer: Answer
    metrics: Metrics
    now: Callable[[], float] = time.monotonic
    began: float = 0.0
    first_byte: float | None = None
    last_delta: float = 0.0
    longest_gap: float = 0.0
    tools: int = 0
    terminal: Finished | Failed | None = None

    def __post_init__(self) -> None:
        self.began = self.now()
        self.metrics.open.inc()

    def see(self, event: Event) -> None:
        """Count it."""
        match event:
            case Text() | Thinking():
                self._delta(self.now())
            case ToolFinished(error=error):
                self.tools += 1
                self.metrics.tools.labels(error or "ok").inc()
            case Finished() | Failed():
                self.terminal = event

    def end(self) -> None:
        """The response is over, whoever ended it."""
        self.metrics.open.dec()
        self.metrics.ends.labels(self._reason()).inc()
        usage = self.terminal.usage if isinstance(self.terminal, Finished) else None
        if usage is not None:
            self.metrics.tokens.labels("input").inc(usage.input_tokens)
            self.metrics.tokens.labels("output").inc(usage.output_tokens)
        cause = self.answer.cause
        line = {
            "event": "chat",
            "id": self.answer.id[:LOGGED],
            "ended": self._reason(),
            "seconds": round(self.now() - self.began, 3),
            "first_byte_seconds": self.first_byte and round(self.first_byte, 3),
            "longest_gap_seconds": round(self.longest_gap, 3),
            "bedrock_calls": self.answer.calls,
            "tool_calls": self.tools,
            "input_tokens": usage and usage.input_tokens,
            "output_tokens": usage and usage.output_tokens,
            "cause": cause and f"{type(cause).__name__}: {cause}"[:500],
        }
        log.info(json.dumps(line, ensure_ascii=False))

    def _delta(self, now: float) -> None:
        if self.first_byte is None:
            self.first_byte = now - self.began
            self.metrics.first_byte.observe(self.first_byte)
        else:
            gap = now - self.last_delta
            self.longest_gap = max(self.longest_gap, gap)
            self.metrics.gaps.observe(gap)
        self.last_delta = now

    def _reason(self) -> str:
        match self.terminal:
            case Finished(stop_reason=reason):
                return reason
            case Failed(code=code):
                return code
            case None:
                return "client_left"
