"""Section 5: the stream breaks off, or cannot be read."""

from converse_contract.case import Case, Check
from converse_contract.checks import (
    all_of,
    calls,
    failed,
    never_called_again_after_text,
    never_finished,
    no_tool_run,
    one_terminal,
    shows_text,
    terminal,
    text_is,
    text_is_prefix_of_sent,
)

TITLE = "Truncation and corruption"

SHOWN = "Your subscription renews on "
INTERRUPTED = failed("stream_interrupted", retryable=True, partial=True)
CORRUPTED = failed("stream_corrupted", partial=True)


def _broken(number: int, title: str, why: str, scenario: str, *checks: Check) -> Case:
    """A stream that is not whole."""
    return Case(
        id=f"5.{number}",
        title=title,
        requirement="The handler MUST report a failure; it MUST NOT report the answer as finished.",
        why=why,
        scenario=scenario,
        check=all_of(*checks, never_finished, text_is_prefix_of_sent, terminal),
    )


CASES = (
    _broken(
        1,
        "The stream ends cleanly in the middle of the answer.",
        "botocore's loop ends without an exception: code after the loop believes that the answer is "
        "complete.",
        "truncation/clean-end",
        INTERRUPTED,
        text_is(SHOWN),
    ),
    _broken(
        2,
        "The stream ends cleanly in the middle of a frame.",
        "botocore drops the half frame without a word and ends its loop like after a whole answer.",
        "truncation/clean-end-mid-frame",
        INTERRUPTED,
        text_is(SHOWN),
    ),
    _broken(
        3,
        "The connection is closed (FIN) in the middle of the answer.",
        "urllib3's ProtocolError comes through botocore as it is: neither ClientError nor BotoCoreError.",
        "resets/hangup-after-text",
        INTERRUPTED,
        shows_text,
    ),
    _broken(
        4,
        "The connection is reset (RST) in the middle of the answer.",
        "The same, with a ConnectionResetError inside; `except ClientError` lets it pass.",
        "resets/after-text",
        failed("stream_interrupted", retryable=True),
    ),
    _broken(
        5,
        "The connection is closed in the middle of a frame.",
        "There are bytes that never become an event, and an exception that is not the SDK's.",
        "resets/hangup-mid-frame",
        failed("stream_interrupted", retryable=True),
    ),
    _broken(
        6,
        "The answer breaks off, and yet the usage arrives.",
        "Usage comes last, so it looks like proof of a whole answer; only messageStop is.",
        "truncation/usage-without-message-stop",
        INTERRUPTED,
        text_is(SHOWN),
    ),
    _broken(
        7,
        "A 200 response without a single frame.",
        "A loop over nothing ends at once: an empty answer, finished, and nobody knows why.",
        "truncation/empty",
        failed("stream_interrupted", partial=False),
    ),
    _broken(
        8,
        "The response ends after messageStart.",
        "The message has started, so a flag that something came is set; nothing has.",
        "truncation/message-start-only",
        failed("stream_interrupted", partial=False),
    ),
    _broken(
        9,
        "A frame has a wrong message CRC.",
        "botocore's ChecksumMismatch is a ParserError of its own: no ClientError, no BotoCoreError.",
        "corruption/message-crc",
        CORRUPTED,
        text_is(SHOWN),
    ),
    _broken(
        10,
        "A frame has a wrong prelude CRC.",
        "Its length cannot be trusted; who skips the frame reads the next ones at the wrong place.",
        "corruption/prelude-crc",
        CORRUPTED,
        text_is(SHOWN),
    ),
    _broken(
        11,
        "All the text is whole, and the frame of messageStop is corrupt.",
        "The user sees a whole answer; what cannot be read proves nothing.",
        "corruption/last-frame",
        CORRUPTED,
    ),
    Case(
        id="5.12",
        title="The connection is reset after messageStop, before the usage.",
        requirement="The response MUST end once: as finished or as failed, never as both.",
        why="Who reports the end at messageStop has reported it already when the connection breaks.",
        scenario="resets/after-message-stop",
        check=terminal,
    ),
    Case(
        id="5.13",
        title="The stream ends cleanly in the middle of a tool's input.",
        requirement="The handler MUST NOT run the tool, and MUST report the failure.",
        why="The loop ends without an exception and there is a tool block: it is run with `{}` or with half.",
        scenario="truncation/in-tool-input",
        check=all_of(no_tool_run, INTERRUPTED, calls(1)),
    ),
    Case(
        id="5.14",
        title="The stream ends cleanly after a complete tool call, without messageStop.",
        requirement="The handler MUST NOT run the tool, and MUST report the failure.",
        why="The input is whole and valid; but nothing says that the model had finished, and tools have "
        "effects.",
        scenario="truncation/after-tool-use",
        check=all_of(no_tool_run, INTERRUPTED, calls(1)),
    ),
    Case(
        id="5.15",
        title="The connection is reset in the middle of a tool's input.",
        requirement="The handler MUST NOT run the tool, and MUST report the failure.",
        why="A finally clause that runs what has been collected runs it here, too.",
        scenario="resets/in-tool-input",
        check=all_of(no_tool_run, failed("stream_interrupted"), one_terminal, never_called_again_after_text),
    ),
    Case(
        id="5.16",
        title="The connection breaks after some text: the calls of Bedrock.",
        requirement="The handler MUST NOT call again once text was shown.",
        why="Connection errors are what retry wrappers are made for; around a stream they say everything "
        "twice.",
        scenario="resets/hangup-after-text",
        check=all_of(calls(1), never_called_again_after_text, text_is_prefix_of_sent),
    ),
)
