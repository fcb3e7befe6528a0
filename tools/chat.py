"""Starts the emulator and the reference handler, and prints the chat page's address. Ctrl-C ends both."""

import signal
from contextlib import suppress

from converse_contract.case import Limits
from converse_contract.serving import environment, serving

TRY = {
    "How do I cancel?": "the automatic answer",
    "When does it renew? [[scenario: tools/round-trip]]": "a tool call and its answer",
    "Tell me all. [[scenario: text/article-answer]]": "500 tokens at the article's pace",
    "Tell me all. [[scenario: stop-reasons/max-tokens]]": "(response truncated)",
    "Tell me all. [[scenario: truncation/clean-end]]": "(generation interrupted)",
}


def main() -> None:
    """Serve until interrupted."""
    with (
        serving("converse_emulator", "serve", "--port", "0") as emulator,
        serving("converse_handler", "--port", "0", env=environment(emulator, Limits())) as handler,
    ):
        print(f"chat page  {handler}/\nemulator   {emulator}\n\nSay, for example:")
        for prompt, what in TRY.items():
            print(f"  {prompt:<55} {what}")
        print("\nconverse-emulator scenarios  lists all scenarios. Ctrl-C ends.", flush=True)
        signal.pause()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both servers are ended in either case
    with suppress(KeyboardInterrupt):
        main()
