"""Whether a scenario is for a request, and if not, why: one function for both."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from converse_emulator.choosing.conversation import last_user_text, tool_results
from converse_emulator.choosing.request import Request
from converse_emulator.language.scenario import Match

SHOWN = 80  # characters of a prompt in a difference


@dataclass(frozen=True, slots=True)
class Difference:
    """A member of a match that does not agree with the request."""

    field: str
    wanted: str
    got: str

    def __str__(self) -> str:
        return f"{self.field}: wanted {self.wanted}, got {self.got}"


def difference(request: Request, match: Match, *, call: int) -> list[Difference]:
    """Where `match` and the request disagree; empty means that it is for this request.

    `call` is the number of the request in its conversation, from 1.
    """
    return [
        *_of_the_call(request, match, call),
        *_of_the_conversation(request, match),
        *_of_the_headers(request, match),
    ]


def _of_the_call(request: Request, match: Match, call: int) -> Iterator[Difference]:
    if match.operation not in (None, request.operation):
        yield Difference("operation", str(match.operation), request.operation)
    if match.model is not None and not fnmatchcase(request.model_id, match.model):
        yield Difference("model", match.model, request.model_id)
    if match.call not in (None, call):
        yield Difference("call", str(match.call), str(call))


def _of_the_conversation(request: Request, match: Match) -> Iterator[Difference]:
    if match.prompt is not None and not _occurs(match.prompt, said := last_user_text(request.body)):
        yield Difference("prompt", match.prompt, repr(said if len(said) <= SHOWN else f"{said[:SHOWN]}…"))
    if match.tool_result is not None and match.tool_result not in (names := tool_results(request.body)):
        yield Difference("tool_result", match.tool_result, ", ".join(names) or "none")


def _of_the_headers(request: Request, match: Match) -> Iterator[Difference]:
    for name, glob in match.header.items():
        value = request.headers.get(name.lower())
        if value is None or not fnmatchcase(value, glob):
            yield Difference(f"header {name}", glob, "none" if value is None else value)


def _occurs(prompt: str, said: str) -> bool:
    """A prompt in slashes is a regular expression; any other occurs in what was said, whatever its case."""
    if len(prompt) > 1 and prompt[0] == prompt[-1] == "/":
        return re.search(prompt[1:-1], said) is not None
    return prompt.casefold() in said.casefold()
