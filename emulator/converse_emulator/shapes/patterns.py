r"""Regular expressions of a service model, as Python's `re` understands them.

The models are written for Java (ECMA 262 in Smithy's words). Where the two differ, and the difference can be
spelled, it is translated: classes such as `\s` and `\d` are ASCII, `.` stops at every Unicode line end,
`(?<name>` and `\z` have Python's names. What cannot be spelled (`\p{Han}`, a class within a class, quoting)
raises `Untranslatable`, and whoever compiles the constraint leaves it out and says so.
"""

import re
from collections.abc import Iterator

_TOKEN = re.compile(r"\\.|\(\?<(?![=!])|&&|.", re.DOTALL)

_NOT_A_LINE_END = "[^\n\r\x85\u2028\u2029]"
_SAME_ESCAPES = frozenset("dDsSwWbBtnrfvxuZ0123456789")  # mean the same here and there


class Untranslatable(ValueError):
    """A pattern that Python cannot match as Java does; the message names the part."""


def translate(pattern: str) -> re.Pattern[str]:
    """`pattern` for use with `fullmatch`, which is how a model's patterns are applied."""
    try:
        return re.compile("".join(_translated(pattern)), re.ASCII)
    except re.error as error:
        raise Untranslatable(f"{error} in {pattern!r}") from error


def _translated(pattern: str) -> Iterator[str]:
    in_class = False
    for token in _TOKEN.findall(pattern):
        if in_class and token in ("[", "&&"):
            raise Untranslatable(f"{token} within a class in {pattern!r}")
        if token[0] == "\\":
            yield _escape(token, pattern)
        elif in_class:
            yield token
        else:
            yield {".": _NOT_A_LINE_END, "(?<": "(?P<"}.get(token, token)
        in_class = token == "[" or (in_class and token != "]")


def _escape(token: str, pattern: str) -> str:
    if token == r"\z":
        return r"\Z"
    if token[1:].isalnum() and token[1:] not in _SAME_ESCAPES:
        raise Untranslatable(f"{token} in {pattern!r}")
    return token
