"""Every error of the Event API: its type, its status over HTTP, its text, and how it is known.

`documented`: in the documentation of the protocol. `reported`: seen by users or in AWS's own clients' tests.
`inferred`: the case exists, what the service says then was not published.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Evidence = Literal["documented", "reported", "inferred"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One row. `text` may have places for what went wrong."""

    type: str
    status: int
    text: str
    evidence: Evidence


KINDS: Mapping[str, Kind] = {
    "not_authorized": Kind(
        "UnauthorizedException", 401, "You are not authorized to make this call.", "reported"
    ),
    "denied": Kind("Unauthorized", 401, "You are not authorized to make this call.", "reported"),
    "no_credentials": Kind("UnauthorizedException", 401, "Missing authorization header", "reported"),
    "signature": Kind("BadRequestException", 403, "signature mismatch", "reported"),
    "bad_request": Kind("BadRequestException", 400, "{0}", "inferred"),
    "no_protocol": Kind(
        "NoProtocolError",
        400,
        "Sec-WebSocket-Protocol must offer aws-appsync-event-ws and header-<base64url of the authorization>",
        "inferred",
    ),
    "not_found": Kind("NotFoundException", 404, "{0}", "inferred"),
    "too_large": Kind("RequestEntityTooLargeException", 413, "a publish has at most {0} bytes", "inferred"),
    "throttled": Kind("LimitExceededError", 429, "Rate limit exceeded", "inferred"),
    "subscription": Kind(
        "SubscriptionProcessingError", 400, "There was an error processing the operation", "documented"
    ),
    "message": Kind("MessageProcessingError", 400, "There was an error processing the message", "documented"),
    "unknown_id": Kind("UnknownOperationError", 400, "Unknown operation id {0}", "documented"),
    "duplicate_id": Kind("DuplicatedOperationError", 400, "Operation id {0} is in use", "inferred"),
    "most_subscriptions": Kind(
        "MaxSubscriptionsReachedError", 400, "Max number of {0} subscriptions reached", "inferred"
    ),
    "unsupported": Kind(
        "UnsupportedOperation", 400, "{0} not supported through the realtime channel", "reported"
    ),
}


class EventsError(Exception):
    """A request or a message is refused."""

    def __init__(self, kind: str, *about: object) -> None:
        self.kind = KINDS[kind]
        super().__init__(self.kind.text.format(*about))

    def body(self) -> dict[str, Any]:
        """`{"errors": [{"errorType", "message"}]}`"""
        return {"errors": [{"errorType": self.kind.type, "message": str(self)}]}
