"""`Expect: 100-continue`: a client that waits for a word before it sends its body (RFC 9110, 10.1.1).

When the application asks for the body, uvicorn says 100 Continue on HTTP/1.1, and nothing on HTTP/2.
"""

from typing import Any

from converse_emulator.http.asgi import Message, Receive, Scope, Send


def withhold_continue(send: Send) -> None:
    """Say no such word to the request of this `send`; its body is awaited all the same."""
    cycle: Any = send.__self__  # type: ignore[attr-defined]
    cycle.waiting_for_100_continue = False


def saying_continue(scope: Scope, receive: Receive, send: Send) -> Receive:
    """`receive` of a request that waits for it, which says it on HTTP/2, too."""
    if scope["http_version"] != "2":
        return receive
    cycle: Any = send.__self__  # type: ignore[attr-defined]
    said = False

    async def saying() -> Message:
        nonlocal said
        if not (said or cycle.body or cycle.disconnected or cycle.response_started) and cycle.more_body:
            cycle.stream.send_informational(100)
            cycle.transport.write(cycle.conn.data_to_send())
        said = True
        return await receive()

    return saying


def is_expected(scope: Scope) -> bool:
    """Whether the client waits for the word."""
    return any(name == b"expect" and value.lower() == b"100-continue" for name, value in scope["headers"])
