"""The errors before a stream, and the exceptions inside one: status, header, spelling and text of each.

`evidence` says how well a text is known: *recorded* from the real service, *reported* by its users in public,
or *inferred*, mostly from the API's documentation, because nobody published one.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Evidence = Literal["recorded", "reported", "inferred"]
Namespace = Literal["com.amazon.bedrock", "com.amazon.coral.service"]


class Refusal(NamedTuple):
    """An error response. `code` is the exception's name on the wire, `key` the body's only member."""

    code: str
    status: int
    text: str
    evidence: Evidence
    namespace: Namespace = "com.amazon.bedrock"  # the other one: refused before Bedrock saw it
    key: Literal["message", "Message"] = "message"

    @property
    def error_type(self) -> str:
        """The value of `x-amzn-ErrorType`."""
        return f"{self.code}:http://internal.amazon.com/coral/{self.namespace}/"


class ServiceError(Exception):
    """An error that the real service gives too: `name` is a refusal's, the exception's text the message."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def _denied(text: str) -> Refusal:
    """A denial with a capital M, as the front door spells it."""
    return Refusal("AccessDeniedException", 403, text, "reported", "com.amazon.coral.service", key="Message")


def _front_door(code: str, text: str, evidence: Evidence, status: int = 403) -> Refusal:
    return Refusal(code, status, text, evidence, "com.amazon.coral.service")


_UNEXPECTED = "The system encountered an unexpected error during processing. Try your request again."
_NOT_AUTHORIZED = (
    "User: arn:aws:iam::123456789012:user/developer is not authorized to perform: "
    "bedrock:InvokeModelWithResponseStream on resource: "
    "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-5-sonnet-20240620-v1:0 "
    "because no identity-based policy allows the bedrock:InvokeModelWithResponseStream action"
)
_TOO_OLD = (
    "Signature expired: 20250521T030814Z is now earlier than 20250521T074804Z (20250521T075304Z - 5 min.)"
)
_MALFORMED_CREDENTIALS = (
    "Authorization header requires 'Credential' parameter. "
    "Authorization header requires 'Signature' parameter. "
    "Authorization header requires 'SignedHeaders' parameter."
)

_MODELLED = (
    Refusal(
        "AccessDeniedException",
        403,
        "You don't have access to the model with the specified model ID.",
        "recorded",
    ),
    Refusal("InternalServerException", 500, _UNEXPECTED, "recorded"),
    Refusal(
        "ModelErrorException",
        424,
        "The request failed due to an error while processing the model.",
        "inferred",
    ),
    Refusal(
        "ModelNotReadyException",
        429,
        "The model specified in the request is not ready to serve inference requests.",
        "inferred",
    ),
    Refusal(
        "ModelTimeoutException",
        408,
        "The request took too long to process. Processing time exceeded the model timeout length.",
        "inferred",
    ),
    Refusal(
        "ResourceNotFoundException",
        404,
        "This model version has reached the end of its life. "
        "Please refer to the AWS documentation for more details.",
        "reported",
    ),
    Refusal(
        "ServiceQuotaExceededException",
        400,
        "Your request exceeds the service quota for your account.",
        "inferred",
    ),
    Refusal(
        "ServiceUnavailableException",
        503,
        "Service capacity limit has been reached. Please try again later.",
        "recorded",
    ),
    Refusal("ThrottlingException", 429, "Too many requests, please wait before trying again.", "recorded"),
    Refusal("ValidationException", 400, "The provided model identifier is invalid.", "recorded"),
)

_FRONT_DOOR = (
    _front_door("ExpiredTokenException", "The security token included in the request is expired", "recorded"),
    _front_door("IncompleteSignatureException", _MALFORMED_CREDENTIALS, "inferred"),
    _front_door("InvalidSignatureException", _TOO_OLD, "recorded"),
    _front_door("MissingAuthenticationTokenException", "Missing Authentication Token", "inferred"),
    _front_door("SerializationException", "STRING_VALUE cannot be converted to Integer", "reported", 400),
    _front_door("UnknownOperationException", "The requested operation is not recognized.", "inferred", 404),
    _front_door(
        "UnrecognizedClientException", "The security token included in the request is invalid.", "recorded"
    ),
)

# By the name that a `refuse` step gives. The denials have names of their own: their code is another's.
REFUSALS: Mapping[str, Refusal] = {
    **{refusal.code: refusal for refusal in (*_MODELLED, *_FRONT_DOOR)},
    "IamAccessDenied": _denied(_NOT_AUTHORIZED),
    "InvalidApiKey": _denied("Authentication failed: Please make sure your API Key is valid."),
    "InvalidApiKeyFormat": _denied("Invalid API Key format: Must start with pre-defined prefix"),
    "ExpiredApiKey": _denied("Bearer Token has expired"),
    "MissingAuthorization": _denied("Authorization header is missing"),
}

# Texts of exceptions inside a stream by `:exception-type`. The last is no member of ConverseStream's.
THROWS: Mapping[str, str] = {
    "internalServerException": _UNEXPECTED,
    "modelStreamErrorException": (
        "Model produced invalid sequence as part of ToolUse. "
        "Please refer to the model tool use troubleshooting guide."
    ),
    "serviceUnavailableException": "Bedrock is unable to process your request.",
    "throttlingException": "Too many tokens, please wait before trying again.",
    "validationException": (
        "The model returned the following errors: The detected file MIME type text/plain does not match "
        "the expected type image/png. Reformat your input and try again."
    ),
    "modelTimeoutException": REFUSALS["ModelTimeoutException"].text,
}


def refusal(name: str, status: int | None = None) -> Refusal:
    """The refusal of that name; for one that is not listed (only a newer model has it) a plain one."""
    return REFUSALS.get(name) or Refusal(name, status or 400, f"{name} without a known text.", "inferred")
