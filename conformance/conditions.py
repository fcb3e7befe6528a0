"""What a client meets: scenarios of the library, each named by the path of the endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Condition:
    """A scenario, and in a few words what happens in it."""

    scenario: str
    title: str


CONDITIONS: Mapping[str, Condition] = {
    "text": Condition("text/short-answer", "an answer"),
    "tools": Condition("tools/round-trip", "text, a tool call, its result sent back, the answer"),
    "refusal": Condition("refusals/throttling", "HTTP 429 ThrottlingException on every try"),
    "exception": Condition("exceptions/throttling", "throttlingException in the stream, after some text"),
    "cut": Condition("truncation/clean-end", "a clean end after some text, without messageStop"),
    "hangup": Condition("resets/hangup-after-text", "the connection closed (FIN) after some text"),
    "reset": Condition("resets/after-text", "the connection reset (RST) after some text"),
    "corrupt": Condition("corruption/message-crc", "a frame with a wrong message CRC after some text"),
}
