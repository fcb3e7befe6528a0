"""What in a request names its session and its scenario: the path, a header, a marker, the credentials.

/session/NAME/scenario/TOPIC/NAME/model/…     base paths, each optional
x-converse-scenario: TOPIC/NAME
x-converse-wrap: slow=2,cut=0.5               what is done to whatever is played
[[scenario: TOPIC/NAME]]  [[session: NAME]]   markers in what the user says
Authorization: AWS4-HMAC-SHA256 Credential=ACCESS_KEY_ID/…
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import unquote

from converse_emulator.choosing.conversation import Body, last_user_text, messages
from converse_emulator.choosing.request import Request
from converse_emulator.http.content import once

if TYPE_CHECKING:
    from converse_emulator.language.wrap import Wrap

DEFAULT_SESSION = "default"
HEADER = "x-converse-scenario"
WRAP_HEADER = "x-converse-wrap"

_BASE = re.compile(
    r"(?:/session/(?P<session>[^/?]+))?(?:/scenario/(?P<scenario>[^?]+?))?"
    r"(?P<rest>/(?:model|guardrail|guardrail-checks|async-invoke|foundation-models|inference-profiles)(?![^/?]).*)"
)
_CREDENTIAL = re.compile(r"AWS4-\S+\s+(?:\S+,\s*)*Credential=([^/,\s]+)/")
_SCENARIO = re.compile(r"\[\[\s*scenario:\s*([^\]\s]+)\s*\]\]")
_SESSION = re.compile(r"\[\[\s*session:\s*([^\]\s]+)\s*\]\]")


class Route(NamedTuple):
    """A request's path without its base: `rest` is percent-encoded as it came, the names are decoded."""

    session: str | None
    scenario: str | None
    rest: str


class Named(NamedTuple):
    """A scenario that a request names. `since`: the number of the message that carries the marker, else 0."""

    name: str
    by: Literal["path", "header", "marker"]
    since: int = 0


def route(raw_path: str) -> Route:
    """Splits a percent-encoded path into base and rest. Without an operation's, all of it is the rest."""
    found = _BASE.fullmatch(raw_path)
    if found is None:
        return Route(None, None, raw_path)
    session, scenario = found["session"], found["scenario"]
    return Route(session and unquote(session), scenario and unquote(scenario), found["rest"])


def session_of(route: Route, headers: Mapping[str, str], body: Body) -> str:
    """The session's name: the base path's, else the marker's, else the access key id.

    `headers` have lower-case names.
    """
    if route.session:
        return route.session
    if marked := _marked_session(body):
        return marked
    signed = _CREDENTIAL.match(headers.get("authorization", ""))
    return signed[1] if signed else DEFAULT_SESSION


def named_scenario(request: Request) -> Named | None:
    """The scenario that a request names, if it does: in its path, a header, or the user's last marker."""
    if request.scenario:
        return Named(request.scenario, "path")
    if name := request.headers.get(HEADER):
        return Named(name, "header")
    return _marked_scenario(request.body)


@once
def _marked_session(body: Body) -> str | None:
    marked = _SESSION.findall(last_user_text(body))
    return str(marked[-1]) if marked else None


@once
def _marked_scenario(body: Body) -> Named | None:
    said = enumerate(messages(body))
    marked = [(i, _SCENARIO.findall(message.text)) for i, message in said if message.role == "user"]
    return next((Named(names[-1], "marker", i) for i, names in reversed(marked) if names), None)


def named_wrap(request: Request) -> "Wrap | None":
    """The wrap that a request asks for; raises `ScenarioError`."""
    text = request.headers.get(WRAP_HEADER)
    if not text:
        return None
    from converse_emulator.language.wrap_form import read_wrap  # the grammar takes 50 ms

    return read_wrap(text, f"header {WRAP_HEADER}")
