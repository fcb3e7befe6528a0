"""What the chat page is offered, and that other origins may ask where that is wanted."""

from collections.abc import Callable

import httpx
import pytest
from converse_handler import paths
from converse_handler.settings import Settings, SettingsError


def test_this_service_is_always_offered_and_comes_first() -> None:
    assert [path.name for path in paths.paths(Settings())] == ["this service"]
    settings = Settings(
        sse_paths="Function URL=http://127.0.0.1:1/chat, REST API=http://127.0.0.1:2/prod/chat",
        websocket_endpoint="http://127.0.0.1:3/prod",
        appsync_endpoint="http://127.0.0.1:4/event",
    )
    offered = [(path.name, path.transport, path.url) for path in paths.paths(settings)]
    assert offered == [
        ("this service", "sse", "chat"),
        ("Function URL", "sse", "http://127.0.0.1:1/chat"),
        ("REST API", "sse", "http://127.0.0.1:2/prod/chat"),
        ("WebSocket API", "websocket", "websocket"),
        ("AppSync Events", "appsync", "appsync"),
    ]
    assert set(paths.origins(settings)) == {
        "http://127.0.0.1:1",
        "http://127.0.0.1:2",
        "ws://127.0.0.1:3",
        "ws://127.0.0.1:4",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSE_PATHS", "chat"),
        ("SSE_PATHS", "a=ftp://x"),
        ("ALLOW_ORIGIN", "*"),
        ("ALLOW_ORIGIN", "http://x/y"),
    ],
)
def test_what_cannot_be_is_told(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"CHAT_{name} is '{value}'".replace("*", r"\*")):
        Settings.from_environment({f"CHAT_{name}": value})


ORIGIN = "https://www.example.com"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}


def test_one_other_origin_may_ask_and_no_third(serve: Callable[..., str]) -> None:
    url = serve(allow_origin=ORIGIN)
    granted = httpx.options(f"{url}/chat", headers={"origin": ORIGIN, **PREFLIGHT})
    assert granted.status_code == 200
    assert granted.headers["access-control-allow-origin"] == ORIGIN
    offered = httpx.get(f"{url}/paths", headers={"origin": ORIGIN})
    assert offered.headers["access-control-expose-headers"] == "content-location"
    assert offered.json() == [{"name": "this service", "transport": "sse", "url": "chat"}]
    third = httpx.options(f"{url}/chat", headers={"origin": "https://evil.example", **PREFLIGHT})
    assert third.status_code == 400


def test_nobody_else_may_where_nothing_is_said(serve: Callable[..., str]) -> None:
    offered = httpx.get(f"{serve()}/paths", headers={"origin": ORIGIN})
    assert "access-control-allow-origin" not in offered.headers
