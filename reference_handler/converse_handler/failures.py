"""Every way in which an answer can fail: a stable code, what may be done about it, and what the user is told.

The user's message is ours. What Bedrock says goes to the log alone: it names accounts, roles, ARNs and
requests. Sources: the service model's exceptions, and what botocore really raises: in the middle of a stream
that is urllib3's errors, raw, and `botocore.eventstream.ParserError`, none of which is a `ClientError`.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException

from botocore.eventstream import ParserError
from botocore.exceptions import (
    ClientError,
    ConnectionError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    HTTPClientError,
    NoAuthTokenError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError
from urllib3.exceptions import ReadTimeoutError as StreamReadTimeoutError

from converse_handler.events import Failed


class Broken(Exception):
    """The answer cannot go on, for the reason `code`. `retry_after`: seconds the service asked us to wait."""

    def __init__(self, code: str, retry_after: float = 0.0) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Policy:
    """What a failure means. `retryable`: the user may ask again. `automatic`: we may, while nothing was sent.

    The automatic ones are those that the SDKs retry too, and a stream that broke before its first event.
    """

    retryable: bool
    automatic: bool
    message: str


BUSY = "The assistant is very busy right now. Please try again in a moment."
DOWN = "The assistant is not available right now. Please try again in a moment."
WRONG = "Something went wrong on our side. Please try again."
SLOW = "The assistant took too long. Please try again."
CUT = "The connection to the assistant was interrupted. Please try again."
ODD = "The assistant gave an answer that we could not use. Please try again."
CLOSED = "The assistant cannot be used at the moment. Please contact support."

POLICIES: Mapping[str, Policy] = {
    "throttled": Policy(True, True, BUSY),
    "overloaded": Policy(True, True, BUSY),
    "unavailable": Policy(True, True, DOWN),
    "model_not_ready": Policy(True, True, DOWN),
    "internal": Policy(True, True, WRONG),
    "model_error": Policy(True, False, WRONG),
    "model_timeout": Policy(True, False, SLOW),
    "access_denied": Policy(False, False, CLOSED),
    "authentication": Policy(False, False, CLOSED),
    "not_found": Policy(False, False, CLOSED),
    "invalid_request": Policy(False, False, "The assistant could not accept this conversation."),
    "first_byte_timeout": Policy(True, False, "The assistant did not respond in time. Please try again."),
    "between_bytes_timeout": Policy(True, False, "The assistant stopped responding. Please try again."),
    "total_timeout": Policy(True, False, SLOW),
    "stream_interrupted": Policy(True, True, CUT),
    "stream_corrupted": Policy(True, True, CUT),
    "malformed_output": Policy(True, False, ODD),
    "tool_rounds_exceeded": Policy(False, False, "The assistant could not finish its look-ups."),
}

# An AWS error's name in lower case, because HTTP says ThrottlingException and the stream throttlingException.
NAMES: Mapping[str, str] = {
    "throttlingexception": "throttled",
    "toomanyrequestsexception": "throttled",
    "servicequotaexceededexception": "overloaded",
    "serviceunavailableexception": "unavailable",
    "internalserverexception": "internal",
    "modelnotreadyexception": "model_not_ready",
    "modeltimeoutexception": "model_timeout",
    "modelerrorexception": "model_error",
    "modelstreamerrorexception": "model_error",
    "validationexception": "invalid_request",
    "resourcenotfoundexception": "not_found",
    "accessdeniedexception": "access_denied",
    "expiredtokenexception": "authentication",
    "incompletesignatureexception": "authentication",
    "invalidclienttokenid": "authentication",
    "invalidsignatureexception": "authentication",
    "missingauthenticationtokenexception": "authentication",
    "unrecognizedclientexception": "authentication",
}

# For a name that the table lacks: a gateway's HTML page has a status and no name.
STATUSES: Mapping[int, str] = {
    400: "invalid_request",
    401: "authentication",
    403: "access_denied",
    404: "not_found",
    408: "model_timeout",
    413: "invalid_request",
    424: "model_error",
    429: "throttled",
    502: "unavailable",
    503: "unavailable",
    504: "unavailable",
    529: "overloaded",
}

CREDENTIALS = (
    CredentialRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)


def explain(error: Exception) -> Broken:
    """Why a call of Bedrock failed, from whatever botocore raised. The order matters: classes overlap."""
    match error:
        case Broken():
            return error
        case ClientError():
            return _from_response(error)
        case ReadTimeoutError() | ConnectTimeoutError():  # before the response; ours is due earlier
            return Broken("first_byte_timeout")
        case StreamReadTimeoutError():
            return Broken("between_bytes_timeout")
        case ConnectionError() | HTTPClientError():
            return Broken("unavailable")
        case HTTPError() | HTTPException() | OSError():
            return Broken("stream_interrupted")
        case ParserError() | ResponseParserError() | LookupError() | ValueError() | struct.error():
            return Broken("stream_corrupted")
        case ParamValidationError():
            return Broken("invalid_request")
        case _ if isinstance(error, CREDENTIALS):
            return Broken("authentication")
        case _:
            return Broken("internal")


def _from_response(error: ClientError) -> Broken:
    # An exception in the stream has no status, and an unmodelled one not even a name.
    response = error.response
    name = response.get("Error", {}).get("Code", "")
    meta = response.get("ResponseMetadata", {})
    code = NAMES.get(name.lower()) or STATUSES.get(meta.get("HTTPStatusCode", 0), "internal")
    return Broken(code, _seconds(meta.get("HTTPHeaders", {}).get("x-amz-retry-after", "")))


def _seconds(milliseconds: str) -> float:
    return int(milliseconds) / 1000 if milliseconds.isascii() and milliseconds.isdigit() else 0.0


def failed(broken: Broken, *, partial: bool) -> Failed:
    """The terminal event for the user."""
    policy = POLICIES[broken.code]
    return Failed(broken.code, policy.message, policy.retryable, partial)
