"""Section 3: Bedrock refuses the call, before any answer."""

from converse_contract.case import Case
from converse_contract.checks import (
    all_of,
    any_of,
    at_most_calls,
    calls,
    failed,
    finished,
    never_finished,
    no_leaks,
    shows_no_text,
    terminal,
    text_is,
    within_attempts,
)

TITLE = "Refusals before the stream"

ANSWER = "Your subscription renews on 1 March."


def _refusal(number: int, what: str, scenario: str, code: str, retryable: bool, why: str) -> Case:
    """A refusal on every try: it has a class, and the class survives."""
    said = "may be tried again" if retryable else "is not worth another try"
    return Case(
        id=f"3.{number}",
        title=f"Bedrock refuses with {what}.",
        requirement=f"The handler MUST report {code}, and that it {said}.",
        why=why,
        scenario=f"refusals/{scenario}",
        check=all_of(failed(code, retryable=retryable, partial=False), never_finished, shows_no_text),
    )


CASES = (
    _refusal(
        1,
        "ThrottlingException (429)",
        "throttling",
        "throttled",
        True,
        "A blanket except makes an internal error of it, and the page says that something broke instead of "
        "asking for a moment's patience.",
    ),
    _refusal(
        2,
        "ThrottlingException (429) and the words “Too many tokens”",
        "too-many-tokens",
        "throttled",
        True,
        "Who searches the message for “too many tokens” takes it for a conversation that is too long, and "
        "shortens it for nothing.",
    ),
    _refusal(
        3,
        "ServiceUnavailableException (503)",
        "service-unavailable",
        "unavailable",
        True,
        "It passes in seconds; told as an internal error, nobody tries again.",
    ),
    _refusal(
        4,
        "InternalServerException (500)",
        "internal-server",
        "internal",
        True,
        "It is Bedrock's failure and not the request's: the same request may succeed.",
    ),
    _refusal(
        5,
        "ModelTimeoutException (408)",
        "model-timeout",
        "model_timeout",
        True,
        "A 4xx that is not the caller's fault: code that looks at the status class says invalid request.",
    ),
    _refusal(
        6,
        "ModelNotReadyException (429)",
        "model-not-ready",
        "model_not_ready",
        True,
        "It has throttling's status and is no throttling: the model is being loaded and wants minutes.",
    ),
    _refusal(
        7,
        "ModelErrorException (424)",
        "model-error",
        "model_error",
        True,
        "A 4xx again that is not the caller's fault, and one that no SDK retries.",
    ),
    _refusal(
        8,
        "AccessDeniedException (403)",
        "access-denied",
        "access_denied",
        False,
        "Only an operator can help; an invitation to try again sends every user into the same wall.",
    ),
    _refusal(
        9,
        "ResourceNotFoundException (404)",
        "resource-not-found",
        "not_found",
        False,
        "The model is gone or never was there; no repetition brings it back.",
    ),
    _refusal(
        10,
        "ValidationException (400)",
        "validation",
        "invalid_request",
        False,
        "The request stays invalid however often it is sent.",
    ),
    _refusal(
        11,
        "ValidationException (400): the prompt is too long",
        "input-too-long",
        "invalid_request",
        False,
        "The same conversation fails again, and longer ones will: only shortening helps.",
    ),
    _refusal(
        12,
        "ExpiredTokenException (403)",
        "expired-token",
        "authentication",
        False,
        "Authentication errors are in no service model: `client.exceptions` has no class for them.",
    ),
    _refusal(
        13,
        "UnrecognizedClientException (403)",
        "unrecognized-client",
        "authentication",
        False,
        "It is a plain ClientError with a code that only AWS's documentation lists.",
    ),
    _refusal(
        14,
        "InvalidSignatureException (403)",
        "invalid-signature",
        "authentication",
        False,
        "A wrong clock on the server: every request fails alike, and every retry does.",
    ),
    Case(
        id="3.15",
        title="A refusal's message names an account, a role and an ARN.",
        requirement="The response MUST NOT show anything of Bedrock's message or of the program's inside.",
        why="str(error) is the first thing one writes into the error event, and IAM's messages name account, "
        "role and resource.",
        scenario="refusals/leaky-message",
        check=all_of(failed("access_denied"), no_leaks),
    ),
    Case(
        id="3.16",
        title="The first try finds no capacity, the second is answered.",
        requirement="The handler MUST try again before anything was shown, and stream the second answer.",
        why="The one moment in which a retry is free of side effects is before the first event.",
        scenario="retries/unavailable-once-then-answered",
        check=all_of(text_is(ANSWER), finished("end_turn"), calls(2)),
    ),
    Case(
        id="3.17",
        title="Every try is throttled.",
        requirement="The handler MUST stop after the attempts that it declares.",
        why="The SDK retries, the framework around it retries, and each attempt of the one is several of the "
        "other: a throttled service gets a storm.",
        scenario="refusals/throttling",
        check=all_of(failed("throttled"), within_attempts),
    ),
    Case(
        id="3.18",
        title="A refusal that no retry can change.",
        requirement="The handler MUST NOT try again what cannot succeed.",
        why="A retry decorator that looks at no code makes people wait through every backoff for the same "
        "400.",
        scenario="refusals/validation",
        check=all_of(failed("invalid_request"), calls(1)),
    ),
    Case(
        id="3.19",
        title="A refusal: the form of the response.",
        requirement="A refusal MUST end the response as properly as an answer: terminal event, sentinel, "
        "body.",
        why="An exception that leaves the generator after the headers are out cuts the connection, and the "
        "page sees a network error without a reason.",
        scenario="refusals/access-denied",
        check=terminal,
    ),
    Case(
        id="3.20",
        title="The connection is reset before any header, on every try.",
        requirement="The handler MUST report a failure, after no more attempts than it declares.",
        why="botocore raises ConnectionClosedError here, which is no ClientError: there is no response to "
        "read.",
        scenario="resets/before-headers",
        check=all_of(failed("unavailable", "stream_interrupted", retryable=True), within_attempts, terminal),
    ),
    Case(
        id="3.21",
        title="A 200 response whose only frame is a validation exception.",
        requirement="The handler MUST report the refusal that it is, with nothing shown.",
        why="The status is 200, so code that maps statuses sees a success that ends without text.",
        scenario="exceptions/validation-first",
        check=all_of(
            failed("invalid_request", retryable=False, partial=False), never_finished, shows_no_text
        ),
    ),
    Case(
        id="3.22",
        title="A 200 response whose only frame is throttling; a second try would be answered.",
        requirement="The handler MUST report throttling, or MUST try again and stream the answer.",
        why="No SDK retries it, and a handler that expects refusals as HTTP errors ends with an empty "
        "answer.",
        scenario="retries/first-frame-throttled-then-answered",
        check=all_of(
            at_most_calls(2),
            any_of(
                all_of(text_is(ANSWER), finished("end_turn")),
                all_of(shows_no_text, failed("throttled", retryable=True, partial=False)),
            ),
        ),
    ),
)
