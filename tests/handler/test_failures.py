"""What each error becomes: its code, what may be done about it, and a message that leaks nothing."""

import http.client
import re
import socket
from typing import Any

import pytest
from botocore import eventstream
from botocore import exceptions as aws
from botocore.parsers import ResponseParserError
from converse_handler.events import Failed
from converse_handler.failures import NAMES, POLICIES, STATUSES, Broken, explain, failed
from urllib3 import exceptions as http3

URL = "https://bedrock-runtime.us-east-1.amazonaws.com"
LEAKY = "User: arn:aws:sts::123456789012:assumed-role/x is not authorized; request id 6f1c1a52-1d5f"


def refusal(name: str, status: int, **headers: str) -> aws.ClientError:
    """An error before the stream, as botocore raises it."""
    meta: dict[str, Any] = {"HTTPStatusCode": status, "HTTPHeaders": headers, "RequestId": "6f1c1a52"}
    response = {"Error": {"Code": name, "Message": LEAKY}, "ResponseMetadata": meta}
    return aws.ClientError(response, "ConverseStream")


def in_stream(name: str) -> aws.EventStreamError:
    """An exception in the stream, as botocore raises it: no status, and no name if it is not modelled."""
    return aws.EventStreamError({"Error": {"Code": name, "Message": LEAKY}}, "ConverseStream")


REFUSALS = [
    ("ThrottlingException", 429, "throttled"),
    ("ServiceUnavailableException", 503, "unavailable"),
    ("InternalServerException", 500, "internal"),
    ("ModelNotReadyException", 429, "model_not_ready"),
    ("ModelTimeoutException", 408, "model_timeout"),
    ("ModelErrorException", 424, "model_error"),
    ("ValidationException", 400, "invalid_request"),
    ("ResourceNotFoundException", 404, "not_found"),
    ("AccessDeniedException", 403, "access_denied"),
    ("UnrecognizedClientException", 403, "authentication"),
    ("ExpiredTokenException", 403, "authentication"),
    ("InvalidSignatureException", 403, "authentication"),
    ("ServiceQuotaExceededException", 400, "overloaded"),
    ("502", 502, "unavailable"),  # a gateway's page: botocore takes the status for the name
    ("429", 429, "throttled"),
    ("SomethingNew", 418, "internal"),
    ("", 500, "internal"),
]


@pytest.mark.parametrize(("name", "status", "code"), REFUSALS)
def test_a_refusal(name: str, status: int, code: str) -> None:
    assert explain(refusal(name, status)).code == code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("throttlingException", "throttled"),
        ("ThrottlingException", "throttled"),
        ("serviceUnavailableException", "unavailable"),
        ("internalServerException", "internal"),
        ("modelStreamErrorException", "model_error"),
        ("validationException", "invalid_request"),
        ("", "internal"),
        ("InternalFailure", "internal"),
    ],
)
def test_an_exception_in_the_stream(name: str, code: str) -> None:
    assert explain(in_stream(name)).code == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (http3.ProtocolError("Response ended prematurely"), "stream_interrupted"),
        (http3.ProtocolError("Connection broken", ConnectionResetError(104, "reset")), "stream_interrupted"),
        (http3.IncompleteRead(433, 20), "stream_interrupted"),
        (http.client.IncompleteRead(b""), "stream_interrupted"),
        (ConnectionResetError(104, "Connection reset by peer"), "stream_interrupted"),
        (http3.ReadTimeoutError(None, URL, "Read timed out."), "between_bytes_timeout"),  # type: ignore[arg-type]
        (aws.ReadTimeoutError(endpoint_url=URL, error="x"), "first_byte_timeout"),
        (aws.ConnectTimeoutError(endpoint_url=URL, error="x"), "first_byte_timeout"),
        (aws.EndpointConnectionError(endpoint_url=URL, error="x"), "unavailable"),
        (aws.ConnectionClosedError(endpoint_url=URL, error="x"), "unavailable"),
        (aws.SSLError(endpoint_url=URL, error="x"), "unavailable"),
        (aws.ProxyConnectionError(proxy_url=URL, error="x"), "unavailable"),
        (aws.HTTPClientError(error=socket.gaierror()), "unavailable"),
        (eventstream.ChecksumMismatch(1, 2), "stream_corrupted"),
        (eventstream.InvalidPayloadLength(31_457_248), "stream_corrupted"),
        (eventstream.InvalidHeadersLength(150_000), "stream_corrupted"),
        (eventstream.DuplicateHeader(":event-type"), "stream_corrupted"),
        (KeyError(10), "stream_corrupted"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "stream_corrupted"),
        (ResponseParserError("not JSON"), "stream_corrupted"),
        (aws.ParamValidationError(report="messages is missing"), "invalid_request"),
        (aws.NoCredentialsError(), "authentication"),
        (aws.PartialCredentialsError(provider="env", cred_var="x"), "authentication"),
        (aws.CredentialRetrievalError(provider="x", error_msg="y"), "authentication"),
        (aws.UnauthorizedSSOTokenError(), "authentication"),
        (RuntimeError("a bug"), "internal"),
        (Broken("throttled"), "throttled"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_whatever_else_botocore_raises(error: Exception, code: str) -> None:
    assert explain(error).code == code


@pytest.mark.parametrize(
    ("header", "seconds"), [("1500", 1.5), ("0", 0), ("-1", 0), ("soon", 0), ("", 0), ("²", 0)]
)
def test_the_service_may_ask_for_a_pause(header: str, seconds: float) -> None:
    headers = {"x-amz-retry-after": header}
    assert explain(refusal("ThrottlingException", 429, **headers)).retry_after == seconds


def test_every_code_that_can_come_out_has_a_policy() -> None:
    assert {*NAMES.values(), *STATUSES.values()} <= set(POLICIES)


def test_a_retryable_failure_invites_to_try_again_and_no_other_does() -> None:
    for code, policy in POLICIES.items():
        assert policy.retryable == ("try again" in policy.message), code
        assert policy.retryable or not policy.automatic, code


def test_no_message_shows_the_inside() -> None:
    inside = re.compile(r"arn:|\d{4}|request|exception|error|aws|bedrock|/|timeout|token", re.IGNORECASE)
    for code in POLICIES:
        told = failed(Broken(code), partial=True)
        assert told == Failed(code, POLICIES[code].message, POLICIES[code].retryable, partial=True)
        assert not inside.search(told.message)


def test_every_exception_of_the_service_model_has_its_code() -> None:
    import botocore.session

    model = botocore.session.get_session().get_service_model("bedrock-runtime")
    operation = model.operation_model("ConverseStream")
    stream = operation.output_shape.members["stream"].members
    exceptions = [name for name, shape in stream.items() if shape.metadata.get("exception")]
    assert exceptions
    for name in [*(shape.name for shape in operation.error_shapes), *exceptions]:
        assert name.lower() in NAMES
