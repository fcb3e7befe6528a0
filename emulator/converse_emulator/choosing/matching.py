"""Whether a scenario is for a request, and if not, why: one function for both."""

import re
from fnmatch import fnmatchcase
from typing import NamedTuple

from converse_emulator.choosing.conversation import last_user_text, tool_results
from converse_emulator.choosing.request import Request
from converse_emulator.language.scenario import Match

SHOWN = 80  # characters of a prompt in a difference


class Difference(NamedTuple):
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
    found: list[Difference] = []
    if match.operation not in (None, request.operation):
        found.append(Difference("operation", str(match.operation), request.operation))
    if match.model is not None and not fnmatchcase(request.model_id, match.model):
        found.append(Difference("model", match.model, request.model_id))
    if match.call not in (None, call):
        found.append(Difference("call", str(match.call), str(call)))
    if match.prompt is not None and not _occurs(match.prompt, said := last_user_text(request.body)):
        shown = said if len(said) <= SHOWN else f"{said[:SHOWN]}…"
        found.append(Difference("prompt", match.prompt, repr(shown)))
    if match.tool_result is not None and match.tool_result not in (names := tool_results(request.body)):
        found.append(Difference("tool_result", match.tool_result, ", ".join(names) or "none"))
    for name, glob in match.header.items():
        value = request.headers.get(name.lower())
        if value is None or not fnmatchcase(value, glob):
            found.append(Difference(f"header {name}", glob, "none" if value is None else value))
    return found


def _occurs(prompt: str, said: str) -> bool:
    """A prompt in slashes is a regular expression; any other occurs in what was said, whatever its case."""
    if len(prompt) > 1 and prompt[0] == prompt[-1] == "/":
        return re.search(prompt[1:-1], said) is not None
    return prompt.casefold() in said.casefold()
