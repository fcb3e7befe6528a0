"""What the mutants' files have in common: settings, the way an answer fails, and the error table."""

import json
import os
from dataclasses import dataclass, fields
from typing import Any

Out = dict[str, Any]  # one event for the browser
Messages = list[dict[str, Any]]  # a conversation in Bedrock's form


@dataclass(frozen=True, slots=True)
class Settings:
    """Seconds and counts, each from the environment: CHAT_FIRST_BYTE_TIMEOUT and so on."""

    first_byte_timeout: float = 3.0
    between_bytes_timeout: float = 30.0
    total_timeout: float = 900.0
    tool_timeout: float = 10.0
    heartbeat: float = 15.0
    attempts: int = 3
    backoff: float = 0.2
    tool_rounds: int = 5

    @classmethod
    def from_environment(cls) -> "Settings":
        found = {field.name: os.environ.get(f"CHAT_{field.name.upper()}") for field in fields(cls)}
        return cls(**{name: json.loads(value) for name, value in found.items() if value is not None})


class Broken(Exception):
    """What ends an answer early, in the words of the wire contract."""

    def __init__(self, code: str, retryable: bool, message: str = "Something went wrong.") -> None:
        super().__init__(message)
        self.code, self.retryable, self.message = code, retryable, message


# A Bedrock error's name (HTTP and stream differ in case) to the code and whether asking again may help.
CODES = {
    "throttlingexception": ("throttled", True),
    "serviceunavailableexception": ("unavailable", True),
    "internalserverexception": ("internal", True),
    "modeltimeoutexception": ("model_timeout", True),
    "modelnotreadyexception": ("model_not_ready", True),
    "modelerrorexception": ("model_error", True),
    "modelstreamerrorexception": ("model_error", True),
    "accessdeniedexception": ("access_denied", False),
    "validationexception": ("invalid_request", False),
    "resourcenotfoundexception": ("not_found", False),
    "expiredtokenexception": ("authentication", False),
    "unrecognizedclientexception": ("authentication", False),
    "invalidsignatureexception": ("authentication", False),
}
COMPLETE = frozenset({"end_turn", "stop_sequence", "guardrail_intervened", "content_filtered"})
TRUNCATED = frozenset({"max_tokens", "model_context_window_exceeded"})
