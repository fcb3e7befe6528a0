"""Who is told no 100 Continue because a scenario has it so: known by then is the request's head alone."""

from collections.abc import Callable

from converse_emulator.choosing.request import Request
from converse_emulator.choosing.selection import Selector
from converse_emulator.choosing.selectors import route, session_of
from converse_emulator.http.asgi import Scope
from converse_emulator.http.headers import Headers


def withholding(selector: Selector) -> Callable[[Scope], bool]:
    """Tells it of requests that wait for the word."""

    def withholds(scope: Scope) -> bool:
        where, headers = route(scope["raw_path"].decode("latin-1")), Headers.of(scope["headers"])
        head = Request("", "", headers, {}, session_of(where, headers, {}), where.scenario)
        return selector.withholds_continue(head)

    return withholds
