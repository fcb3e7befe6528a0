"""What goes wrong in the middle is seen at the browser, although the path ends as if all were well."""

from converse_contract.checks import all_of, failed, finished, located, one_terminal, text_is
from converse_contract.delivery.case import PathCase

BEGUN = {"text": "Your plan renews "}

CASES = (
    PathCase(
        id="10.11",
        title="Throttled after the first words.",
        requirement="The failure MUST be told at the far end, after the words that came.",
        why="A function that throws ends cleanly at a function URL; a WebSocket and a channel stay open. "
        "There is nothing but an event to say it.",
        scenario=[[BEGUN, {"throw": "throttlingException"}]],
        check=located(all_of(failed("throttled", partial=True), text_is("Your plan renews "), one_terminal)),
    ),
    PathCase(
        id="10.12",
        title="Bedrock's connection breaks after the first words.",
        requirement="The break MUST be told at the far end, after the words that came.",
        why="A program that dies of it takes the answer's end along, and to the browser that is an end "
        "like any other.",
        scenario=[[BEGUN, "hangup"]],
        check=located(all_of(failed(partial=True), text_is("Your plan renews "), one_terminal)),
    ),
    PathCase(
        id="10.13",
        title="The answer is cut by maxTokens.",
        requirement="The cut MUST be told at the far end.",
        why="A text that stops in mid-sentence looks the same when a hop has cut it.",
        scenario="stop-reasons/max-tokens",
        check=located(finished("max_tokens", truncated=True)),
    ),
)
