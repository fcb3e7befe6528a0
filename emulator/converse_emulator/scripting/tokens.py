"""Text cut into tokens, the way a model's output and a bill would count it.

No model's real vocabulary: about four characters of English a token, a space going with the word before it
("Your ", "sub", "scription "). Lossless: the tokens joined are the text.
"""

import re
from collections.abc import Mapping

from converse_emulator.http.content import once
from converse_emulator.language.scenario import Json, Split

_TOKEN = re.compile(
    r"""
      [A-Za-zÀ-ɏ]{3} (?=[A-Za-zÀ-ɏ]{7})   # a word longer than nine letters is cut from the front
    | [A-Za-zÀ-ɏ]{1,9} \x20?
    | [^\W\d_A-Za-zÀ-ɏ]{1,2} \x20?         # other scripts take more tokens a letter
    | \d{1,3} \x20?
    | \s+
    | [!-/:-@\[-`{-~]{1,3} \x20?             # marks of ASCII, the underscore among them
    | \W \x20?
    """,
    re.VERBOSE,
)
_WORD = re.compile(r"\s*\S+\s*|\s+")
_BLOB = 1_600  # tokens of an image or a document, whose base64 text says nothing about them


def tokens(text: str) -> list[str]:
    """The tokens of `text`; `"".join(tokens(text)) == text`."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    """How many tokens `text` has."""
    return len(tokens(text))


@once
def count_request(body: Mapping[str, Json]) -> int:
    """The input tokens of a request body: its messages, system prompts and tools; at least 1."""
    return max(1, sum(count_value(body.get(member)) for member in ("messages", "system", "toolConfig")))


def count_value(value: Json) -> int:
    """Tokens of a JSON value. Member names count too: they stand for what a prompt template adds."""
    match value:
        case str():
            return count(value)
        case Mapping():
            return sum(
                _BLOB if name == "bytes" else count(name) + count_value(member)
                for name, member in value.items()
            )
        case list() | tuple():
            return sum(map(count_value, value))
        case None:
            return 0
        case _:
            return 1


def split(text: str, how: Split) -> list[str]:
    """The pieces that `text` is sent in: at least one, joined they are the text.

    Literal pieces are taken as long as they spell the text; what they leave over is the last piece.
    """
    match how:
        case "tokens" | "usual":
            return tokens(text) or [""]
        case "words":
            return _WORD.findall(text) or [""]
        case "characters":
            return list(text) or [""]
        case "whole":
            return [text]
        case _:
            return _spelt(text, how)


def _spelt(text: str, pieces: tuple[str, ...]) -> list[str]:
    taken: list[str] = []
    rest = text
    for piece in pieces:
        if not rest.startswith(piece):
            break
        taken.append(piece)
        rest = rest[len(piece) :]
    return [*taken, rest] if rest or not taken else taken
