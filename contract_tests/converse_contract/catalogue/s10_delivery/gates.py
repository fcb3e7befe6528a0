"""Each word is at the browser before the next one is said, whatever lies between."""

from converse_contract.case import ReadSlowly, StepGates
from converse_contract.checks import (
    all_of,
    comes_while_made,
    finished,
    incremental,
    located,
    no_replacement_characters,
    one_terminal,
    readable,
    starts_once,
    streamed_from_bedrock,
    text_is_all_sent,
)
from converse_contract.delivery.case import PathCase

WORDS = ("Your ", "plan ", "renews ", "on ", "1 ", "March.")
GATES = tuple(f"word-{number}" for number in range(2, 7))
GATED = [{"text": WORDS[0]}]
GATED += [
    step for gate, word in zip(GATES, WORDS[1:], strict=True) for step in ({"gate": gate}, {"text": word})
]
SENTENCE = "Your plan renews on the first of March, and the invoice comes by mail. "
PACED = [{"text": SENTENCE * 2, "every": "40ms"}]
# Spaces are a single token however many, so a limit on tokens does not keep a text from being long.
WIDE = f"\u65b9\u6848{chr(0x3000) * 26_000}\u4e09\u6708\u4e00\u65e5\u7eed\u8ba2\u3002"  # all of 3 bytes
LONG = f"renews{' ' * 4000}" * 300  # 1.2 MB, more than may wait anywhere

CASES = (
    PathCase(
        id="10.1",
        title="The model says each word only when the one before is at the far end of the path.",
        requirement="Every word MUST pass the whole path before the next one is said.",
        why="Each hop has a switch of its own, and one that is not set collects the whole answer. Nothing "
        "is slow in this case: what is collected anywhere stops it for good, and the journals tell where.",
        scenario=[GATED],
        drive=StepGates(GATES),
        check=incremental,
    ),
    PathCase(
        id="10.2",
        title="An answer over the path: what Bedrock is asked.",
        requirement="Bedrock MUST be asked with ConverseStream.",
        why="A blocking call whose answer is dribbled out afterwards looks like a stream on every path.",
        scenario=[PACED],
        check=streamed_from_bedrock,
    ),
    PathCase(
        id="10.3",
        title="An answer that takes a while: the first word.",
        requirement="The first word MUST be at the far end while Bedrock is still speaking.",
        why="A stream that is read to its end before the first byte is sent is a blocking call with more "
        "code.",
        scenario=[PACED],
        check=located(comes_while_made),
    ),
    PathCase(
        id="10.4",
        title="A long piece of text whose characters have three bytes: hops cut it within them.",
        requirement="The text shown MUST be the text sent, character by character.",
        why="Hops read what comes in pieces of their own, and a character of three bytes falls into two of "
        "them.",
        scenario=[[{"text": WIDE, "split": "whole"}]],
        check=located(all_of(text_is_all_sent, no_replacement_characters, finished("end_turn"))),
    ),
    PathCase(
        id="10.5",
        title="A long answer for a browser that takes nothing at first.",
        requirement="A slow browser MUST get all of it.",
        why="What is not taken waits somewhere. A WebSocket API says 429 when too much does, and a message "
        "that is dropped then is a hole in the text.",
        scenario=[[{"text": LONG, "split": "words"}]],
        drive=ReadSlowly(1.5),
        check=located(all_of(text_is_all_sent, finished("end_turn"))),
    ),
    PathCase(
        id="10.6",
        title="An answer over the path: its beginning and its end.",
        requirement="There MUST be one beginning and one terminal event, and nothing that cannot be read.",
        why="Function URLs end a response that broke as cleanly as one that is whole. Only an event can "
        "tell them apart.",
        scenario=["Your plan renews on 1 March."],
        check=located(all_of(readable, starts_once, one_terminal)),
    ),
)
