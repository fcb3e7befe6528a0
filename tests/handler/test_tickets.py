"""Who may listen where."""

import re
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
from converse_handler.tickets import LIFETIME, Tickets
from hypothesis import given
from hypothesis import strategies as st

TICKETS = Tickets("secret", "chat")


def test_a_ticket_is_its_users_for_an_hour() -> None:
    ticket = TICKETS.mint("alice", 1000.9)
    assert TICKETS.holder(ticket, 1000.9) == "alice"
    assert TICKETS.holder(ticket, 1000 + LIFETIME - 0.1) == "alice"
    assert TICKETS.holder(ticket, 1000 + LIFETIME) is None
    assert Tickets("other", "chat").holder(ticket, 1000) is None
    assert TICKETS.holder(ticket.replace("alice", "bob"), 1000) is None
    assert TICKETS.holder(ticket.replace(".4600.", ".9999."), 1000) is None


@given(st.text())
def test_what_was_not_minted_here_is_no_ticket(text: str) -> None:
    assert TICKETS.holder(text, 0) is None


@pytest.mark.parametrize(
    ("channel", "owns"),
    [
        ("/chat/alice/1", True),
        ("/chat/alice/6f9619ff-8b86-d011-b42d-00cf4fc964ff", True),
        ("/chat/alice/*", False),
        ("/chat/*", False),
        ("/chat/alice", False),
        ("/chat/alice/", False),
        ("/chat/alice/1/2", False),
        ("/chat/bob/1", False),
        ("/other/alice/1", False),
        ("chat/alice/1", False),
        ("/chat/alice/1\n", False),
        ("", False),
    ],
)
def test_ones_own_channels(channel: str, owns: bool) -> None:
    assert TICKETS.owns("alice", channel) is owns
    event: dict[str, Any] = {
        "authorizationToken": TICKETS.mint("alice", 0),
        "requestContext": {"operation": "EVENT_SUBSCRIBE", "channel": channel},
    }
    assert TICKETS.authorize(event, 1)["isAuthorized"] is owns
    event["requestContext"]["operation"] = "EVENT_PUBLISH"
    assert TICKETS.authorize(event, 1) == {"isAuthorized": False, "handlerContext": {}}


def test_the_authorizer_lets_holders_connect() -> None:
    connect = {"operation": "EVENT_CONNECT", "channel": None}
    event = {"authorizationToken": TICKETS.mint("alice", 0), "requestContext": connect}
    assert TICKETS.authorize(event, 1) == {"isAuthorized": True, "handlerContext": {"user": "alice"}}
    assert not TICKETS.authorize({**event, "authorizationToken": "x"}, 1)["isAuthorized"]
    assert not TICKETS.authorize({}, 1)["isAuthorized"]


def test_the_authorizer_in_the_readme(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parents[2] / "reference_handler" / "README.md").read_text()
    (block,) = re.findall(r"  ```python\n((?:(?!```).)*authorize(?:(?!```).)*)  ```", text, re.DOTALL)
    monkeypatch.setenv("CHAT_APPSYNC_SECRET", "secret")
    names: dict[str, Any] = {}
    exec(compile(textwrap.dedent(block), "README.md", "exec"), names)
    event = {
        "authorizationToken": TICKETS.mint("alice", time.time()),
        "requestContext": {"operation": "EVENT_SUBSCRIBE", "channel": "/chat/alice/1"},
    }
    assert names["handler"](event) == {"isAuthorized": True, "handlerContext": {"user": "alice"}}
