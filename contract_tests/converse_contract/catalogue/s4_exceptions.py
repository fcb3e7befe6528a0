"""Section 4: exceptions inside the stream, after HTTP 200 and after some text."""

from converse_contract.case import Case
from converse_contract.checks import (
    all_of,
    balanced_blocks,
    calls,
    failed,
    never_called_again_after_text,
    never_finished,
    no_leaks,
    no_tool_run,
    one_terminal,
    terminal,
    text_is,
    text_is_all_sent,
)

TITLE = "Exceptions in the stream"

SHOWN = "Your subscription renews on "


def _exception(number: int, what: str, scenario: str, code: str, retryable: bool, why: str) -> Case:
    """An exception after text: it has a class, and the class survives."""
    said = "may be tried again" if retryable else "is not worth another try"
    return Case(
        id=f"4.{number}",
        title=f"{what} in the middle of the answer.",
        requirement=f"The handler MUST report {code} for a partial answer, and that it {said}.",
        why=why,
        scenario=f"exceptions/{scenario}",
        check=all_of(failed(code, retryable=retryable, partial=True), never_finished),
    )


CASES = (
    _exception(
        1,
        "throttlingException",
        "throttling",
        "throttled",
        True,
        "botocore's error has no status and spells the code throttlingException: a table of the HTTP names "
        "misses it by one letter.",
    ),
    _exception(
        2,
        "serviceUnavailableException",
        "service-unavailable",
        "unavailable",
        True,
        "A reader that looks at `:event-type` only passes over exceptions, and the answer ends as if "
        "complete.",
    ),
    _exception(
        3,
        "internalServerException",
        "internal-server",
        "internal",
        True,
        "botocore gives every exception of a stream the status 400, so by status it is the caller's fault.",
    ),
    _exception(
        4,
        "modelStreamErrorException",
        "model-stream-error",
        "model_error",
        True,
        "It exists in streams only: who has tested refusals has never seen it.",
    ),
    _exception(
        5,
        "validationException",
        "validation",
        "invalid_request",
        False,
        "What the model's own layer refuses comes in the stream, and comes again with every retry.",
    ),
    Case(
        id="4.6",
        title="An exception in the stream that the SDK does not know.",
        requirement="The handler MUST report a failure.",
        why="botocore makes its code and its message empty strings: `if error.code:` sees no error.",
        scenario="exceptions/unmodelled",
        check=all_of(failed(partial=True), never_finished),
    ),
    Case(
        id="4.7",
        title='A frame of message type "error" in the middle of the answer.',
        requirement="The handler MUST report a failure.",
        why="It is the form that no service model lists; the code is in a header and the body is empty.",
        scenario="exceptions/error-message",
        check=all_of(failed(partial=True), never_finished),
    ),
    Case(
        id="4.8",
        title="An exception after messageStop, where the usage should be.",
        requirement="The response MUST end once: as finished or as failed, never as both.",
        why="Who reports the end at messageStop has reported it already when the exception comes.",
        scenario="exceptions/after-message-stop",
        check=terminal,
    ),
    Case(
        id="4.9",
        title="An exception after some text: the text.",
        requirement="The text that came before the exception MUST stay, all of it and unchanged.",
        why="Who collects a block and shows it at its end loses it here; what was paid for and said is gone.",
        scenario="exceptions/throttling",
        check=text_is(SHOWN),
    ),
    Case(
        id="4.10",
        title="An exception after some text; a second try would be answered.",
        requirement="The handler MUST NOT call again once text was shown.",
        why="The model cannot resume, so a retry says everything again and the page shows it twice.",
        scenario="retries/cut-then-answered",
        check=all_of(calls(1), never_called_again_after_text, text_is_all_sent, failed(partial=True)),
    ),
    Case(
        id="4.11",
        title="An exception's message names an account, an ARN and a request.",
        requirement="The response MUST NOT show anything of Bedrock's message or of the program's inside.",
        why="The message belongs into the log; in the error event it reaches every browser.",
        scenario="exceptions/leaky-message",
        check=all_of(failed(partial=True), no_leaks),
    ),
    Case(
        id="4.12",
        title="An exception after some text: the form of the response.",
        requirement="The response MUST end with the error, the sentinel and a complete body, and nothing "
        "else.",
        why="Re-raised inside a streaming response, an exception cuts the connection; skipped [DONE]s leave "
        "the reader waiting; a goodbye after the error is shown as an answer.",
        scenario="exceptions/internal-server",
        check=terminal,
    ),
    Case(
        id="4.13",
        title="An exception in the middle of a block.",
        requirement="The open block MUST be closed before the error.",
        why="contentBlockStop never comes: a page that finishes its markup at the block's end never does.",
        scenario="exceptions/model-stream-error",
        check=all_of(balanced_blocks, one_terminal),
    ),
    Case(
        id="4.14",
        title="An exception in the middle of a tool's input.",
        requirement="The handler MUST NOT run the tool, and MUST report the failure.",
        why="The block is there, and what came of its input may even be valid JSON.",
        scenario="exceptions/in-tool-input",
        check=all_of(no_tool_run, failed("model_error", partial=True), calls(1)),
    ),
)
