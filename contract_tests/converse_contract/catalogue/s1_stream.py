"""Section 1: an answer that goes well, told as it comes."""

from converse_contract.case import Case, Level, StepGates
from converse_contract.checks import (
    all_of,
    balanced_blocks,
    calls,
    complete_body,
    event_stream,
    finished,
    ids_increase,
    incremental,
    no_buffering,
    no_empty_text,
    no_replacement_characters,
    one_terminal,
    readable,
    retry_once,
    sentinel_last,
    starts_once,
    streamed_from_bedrock,
    terminal,
    text_is,
    text_is_all_sent,
    usage_is,
    usage_unknown,
)

TITLE = "The stream"

SENTENCE = "Your plan renews on 1 March."
WORDS = ("Your ", "plan ", "renews ", "on ", "1 ", "March.")
GATES = tuple(f"word-{number}" for number in range(1, 7))
EMOJI = "Cafe\u0301 \U0001f469\u200d\U0001f4bb \U0001f1eb\U0001f1f7"  # an accent, a joined pair, a flag
SPACED = ("  ", "Plan:\tPlus", "\n", "    - renews on 1 March\n", "    ", "- costs  5 EUR ", "\n")

CASES = (
    Case(
        id="1.1",
        title="A short answer: how the response presents itself.",
        requirement="The response MUST be HTTP 200 and text/event-stream, without length and compression.",
        why="A Content-Length or gzip means that somebody collected the body first. Browsers ask for gzip, "
        "and compression middleware that is not told otherwise gives it to them.",
        scenario="text/short-answer",
        check=event_stream,
    ),
    Case(
        id="1.2",
        title="A short answer: the headers that speak to proxies.",
        requirement="The response MUST forbid caching, transforming and buffering in its headers.",
        why="nginx and its relatives collect a response unless told not to: it streams on the developer's "
        "machine and arrives in one piece in production.",
        scenario="text/short-answer",
        check=no_buffering,
    ),
    Case(
        id="1.3",
        title="Two content blocks: the order of events.",
        requirement="The answer MUST start once; a block MUST open before its content and close after it.",
        why="Bedrock sends no contentBlockStart for text and reasoning, so a handler that forwards what it "
        "gets never opens those blocks.",
        scenario="reasoning/text-and-signature",
        check=all_of(readable, starts_once, balanced_blocks),
    ),
    Case(
        id="1.4",
        title="A short answer: the terminal event.",
        requirement="There MUST be one terminal event, only the sentinel after it, and a complete body.",
        why="A loop that reports at messageStop and a finally clause that reports again end the answer "
        "twice; the page puts the second end on the next message.",
        scenario="text/short-answer",
        check=all_of(one_terminal, complete_body),
    ),
    Case(
        id="1.5",
        title="A short answer: the sentinel.",
        requirement="The last event MUST be the sentinel, once.",
        why="A reader that waits for [DONE] waits for ever; one that sees it early drops what follows.",
        scenario="text/short-answer",
        check=sentinel_last,
    ),
    Case(
        id="1.6",
        title="A short answer: the ids of its events.",
        requirement="Every event SHOULD have an id, greater than the one before.",
        why="Without ids nobody can tell a lost event from a short answer, nor resume after the last one "
        "seen.",
        level=Level.SHOULD,
        scenario="text/short-answer",
        check=ids_increase,
    ),
    Case(
        id="1.7",
        title="A short answer: the reconnection time.",
        requirement="The stream SHOULD say its reconnection time, once.",
        why="Where nobody says it, EventSource reconnects when it likes, and each time is a call of the "
        "model.",
        level=Level.SHOULD,
        scenario="text/short-answer",
        check=retry_once,
    ),
    Case(
        id="1.8",
        title="Chinese, Japanese and Korean text, one character a delta.",
        requirement="The text shown MUST be the text sent, character by character.",
        why="Bytes are cut anywhere on their way; who decodes every piece by itself breaks the characters at "
        "the cuts.",
        scenario="unicode/cjk",
        check=all_of(text_is_all_sent, no_replacement_characters, finished("end_turn")),
    ),
    Case(
        id="1.9",
        title="Emoji of several code points, and letters with combining marks, cut between them.",
        requirement="The text shown MUST be the text sent, code point by code point.",
        why="Half an emoji in a delta is no error: who normalises or repairs single deltas changes the "
        "answer.",
        scenario=[[{"text": EMOJI, "split": "characters"}]],
        check=all_of(text_is(EMOJI), finished("end_turn")),
    ),
    Case(
        id="1.10",
        title="Text with newlines that looks like server-sent events.",
        requirement="Text MUST NOT be able to end an event or to start one; it MUST arrive as it was sent.",
        why="A blank line ends an event: text written behind `data: ` as it is lets the model, and whoever "
        "prompts it, forge events.",
        scenario="unicode/newlines-and-injection",
        check=all_of(readable, text_is_all_sent, one_terminal),
    ),
    Case(
        id="1.11",
        title="Text with U+2028, U+2029, U+0085 and U+000B.",
        requirement="Characters that are line ends elsewhere MUST pass through unchanged.",
        why="str.splitlines cuts at all of them, the event-stream format at CR and LF only.",
        scenario="unicode/line-separators",
        check=all_of(readable, text_is_all_sent),
    ),
    Case(
        id="1.12",
        title="Text with leading, double and trailing spaces, some deltas nothing but white space.",
        requirement="White space MUST arrive as it was sent.",
        why="strip() and `if delta.strip()` look harmless until the answer is code, or a list.",
        scenario=[[{"text": "".join(SPACED), "split": list(SPACED)}]],
        check=all_of(text_is("".join(SPACED)), finished("end_turn")),
    ),
    Case(
        id="1.13",
        title="Empty deltas before, within and after the text.",
        requirement="Empty deltas MUST NOT end the answer, and MUST NOT be passed on.",
        why="Nova, Jamba and gpt-oss send them; `if not text: break` ends the answer at the first one, and "
        "an empty block in the history makes Bedrock refuse the next call.",
        scenario="text/empty-deltas",
        check=all_of(text_is_all_sent, no_empty_text, finished("end_turn")),
    ),
    Case(
        id="1.14",
        title="The model is held after the first words, and again before the last.",
        requirement="What the model has said MUST arrive before it says more.",
        why="To collect the answer and type it out afterwards looks like streaming, and the wait is the "
        "same.",
        scenario="text/gated",
        drive=StepGates(("one", "two")),
        check=incremental,
    ),
    Case(
        id="1.15",
        title="The model is held after every single word.",
        requirement="Every delta MUST be passed on at once, not together with the next one.",
        why="A buffer of a few deltas, or of a sentence, passes every test that looks at the first word "
        "only.",
        scenario=[
            [
                step
                for word, gate in zip(WORDS, GATES, strict=True)
                for step in ({"text": word, "split": "whole"}, {"gate": gate})
            ]
        ],
        drive=StepGates(GATES),
        check=all_of(incremental, text_is(SENTENCE), finished("end_turn")),
    ),
    Case(
        id="1.16",
        title="The usage in the metadata.",
        requirement="The usage reported MUST be the one that Bedrock counted.",
        why="A count of the deltas is not a count of the tokens, and the bill follows Bedrock's.",
        scenario=[
            [{"text": SENTENCE}, {"usage": {"inputTokens": 1234, "outputTokens": 567, "totalTokens": 1801}}]
        ],
        check=usage_is(1234, 567),
    ),
    Case(
        id="1.17",
        title="The usage comes half a second after messageStop.",
        requirement="The handler MUST read on after messageStop, to the end of the stream.",
        why="The metadata follows messageStop; who leaves the loop there has no usage, and breaks the "
        "connection.",
        scenario=[
            [
                {"text": SENTENCE},
                {"usage": {"inputTokens": 21, "outputTokens": 9, "totalTokens": 30}},
                {"stop": "end_turn"},
                {"wait": "500ms"},
            ]
        ],
        check=usage_is(21, 9),
    ),
    Case(
        id="1.18",
        title="The stream ends after messageStop, without metadata.",
        requirement="The answer MUST be reported as finished, without a usage that nobody sent.",
        why="An answer is complete with its messageStop; zeros look like a free call in every report.",
        scenario="truncation/without-usage",
        check=all_of(finished("end_turn"), usage_unknown),
    ),
    Case(
        id="1.19",
        title="A short answer: the calls of Bedrock.",
        requirement="One answer MUST cost one call of ConverseStream.",
        why="Every call is paid for: one more to count, to title or to warm up doubles the bill unseen.",
        scenario="text/short-answer",
        check=all_of(calls(1), streamed_from_bedrock),
    ),
    Case(
        id="1.20",
        title="A complete stream without any content.",
        requirement="An empty answer MUST end like any other, with a terminal event and a complete body.",
        why="Code that does its work at the first text never gets there, and the page waits for ever.",
        scenario="truncation/empty-answer",
        check=terminal,
    ),
)
