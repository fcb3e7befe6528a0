"""Section 2: what the answer consists of, and why it stopped."""

from converse_contract.case import Case, Check, Level, Script
from converse_contract.checks import (
    all_of,
    balanced_blocks,
    failed,
    finished,
    never_finished,
    no_empty_blocks,
    no_tool_run,
    terminal,
    text_is,
    text_is_all_sent,
    thinking_is,
)

TITLE = "Content and stop reasons"

ANSWER = "Your subscription renews on 1 March."


def _stop(number: int, name: str, requirement: str, why: str, scenario: Script, check: Check) -> Case:
    return Case(
        id=f"2.{number}",
        title=f"The answer stops with {name}.",
        requirement=requirement,
        why=why,
        scenario=scenario,
        check=check,
    )


CASES = (
    Case(
        id="2.1",
        title="Reasoning comes before the answer.",
        requirement="Reasoning MUST NOT be shown as text of the answer.",
        why="A reasoning delta has a text member too; who takes whatever text a delta has shows the model "
        "talking to itself.",
        scenario="reasoning/text-and-signature",
        check=all_of(text_is(ANSWER), finished("end_turn")),
    ),
    Case(
        id="2.2",
        title="Reasoning comes before the answer: the thinking block.",
        requirement="A handler that shows reasoning SHOULD show it as it was sent, without its signature.",
        why="The signature is a delta of the same block and is meant for the next call, not for people.",
        level=Level.SHOULD,
        needs=frozenset({"thinking"}),
        scenario="reasoning/text-and-signature",
        check=thinking_is("The customer asks for the renewal date. It is 1 March."),
    ),
    Case(
        id="2.3",
        title="Redacted reasoning comes before the answer.",
        requirement="The answer MUST arrive, and nothing of the redacted bytes MUST be shown.",
        why="boto3 gives redacted reasoning as bytes without a text member: json.dumps raises on them, and "
        'delta["text"] is a KeyError.',
        scenario="reasoning/redacted",
        check=all_of(text_is(ANSWER), thinking_is(""), finished("end_turn")),
    ),
    Case(
        id="2.4",
        title="Reasoning that is a signature and nothing else.",
        requirement="A block without anything to show MUST NOT be opened in front of the user.",
        why="The page shows an empty thought, or an empty paragraph, for every block that is opened.",
        scenario="reasoning/signature-only",
        check=all_of(no_empty_blocks, balanced_blocks, text_is(ANSWER), finished("end_turn")),
    ),
    _stop(
        5,
        "end_turn",
        "The answer MUST be reported as finished and not truncated.",
        "A page that shows a warning under every answer teaches people to overlook it.",
        "stop-reasons/end-turn",
        finished("end_turn", truncated=False),
    ),
    _stop(
        6,
        "stop_sequence",
        "The answer MUST be reported as finished by a stop sequence, not truncated.",
        "It is the one other way to end as wanted; code that knows only end_turn calls it a failure.",
        "stop-reasons/stop-sequence",
        finished("stop_sequence", truncated=False),
    ),
    _stop(
        7,
        "max_tokens",
        "The answer MUST be reported as truncated.",
        "The stream ends cleanly and the text reads on like an answer; only the stop reason tells that it "
        "breaks off.",
        "stop-reasons/max-tokens",
        all_of(finished("max_tokens", truncated=True), text_is_all_sent),
    ),
    _stop(
        8,
        "model_context_window_exceeded",
        "The answer MUST be reported as truncated, and not as max_tokens.",
        "A larger maxTokens does not help here, a shorter conversation does; the default branch says "
        "end_turn.",
        "stop-reasons/context-window-exceeded",
        finished("model_context_window_exceeded", truncated=True),
    ),
    _stop(
        9,
        "guardrail_intervened",
        "The stop reason MUST be told apart from an ordinary end.",
        "The text is the guardrail's, not the model's; without the reason nobody knows why the assistant "
        "suddenly refuses.",
        "stop-reasons/guardrail-intervened",
        finished("guardrail_intervened"),
    ),
    _stop(
        10,
        "content_filtered",
        "The stop reason MUST be told apart from an ordinary end.",
        "The answer is missing, not finished; a default branch shows it as if the model had chosen to stop.",
        "stop-reasons/content-filtered",
        finished("content_filtered"),
    ),
    _stop(
        11,
        "malformed_model_output",
        "The handler MUST report a failure, not an answer.",
        "The name is younger than most handlers: an unknown reason falls through to success.",
        "stop-reasons/malformed-model-output",
        all_of(failed("malformed_output"), never_finished, terminal),
    ),
    _stop(
        12,
        "malformed_tool_use",
        "The handler MUST report a failure and MUST NOT run the tool.",
        "There is a tool block, so code that looks at blocks and not at the reason runs it with half an "
        "input.",
        "stop-reasons/malformed-tool-use",
        all_of(failed("malformed_output"), never_finished, no_tool_run),
    ),
    _stop(
        13,
        "a reason that does not exist yet",
        "An unknown stop reason MUST NOT be reported as a finished answer.",
        "New reasons come with new models; a default branch that means success is wrong on the day they "
        "appear.",
        [
            [
                {"text": "Your subscription "},
                {"event": {"contentBlockStop": {"contentBlockIndex": 0}}},
                {"event": {"messageStop": {"stopReason": "quota_of_words_used_up"}}},
            ]
        ],
        all_of(failed("model_error"), never_finished),
    ),
)
