"""The paths by which an answer can come to the chat page, and to where they lead.

`CHAT_SSE_PATHS` names more places that take `POST /chat`, as behind a function URL or a REST API:
`NAME=URL, NAME=URL`. What is configured for WebSocket and AppSync is offered by itself.
"""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from converse_handler.appsync import realtime_url
from converse_handler.settings import Settings


@dataclass(frozen=True, slots=True)
class Path:
    """One way to ask. `url` is relative to the page, or absolute."""

    name: str
    transport: Literal["sse", "websocket", "appsync"]
    url: str


def paths(settings: Settings) -> tuple[Path, ...]:
    """All that are offered; this service's own stream comes first."""
    return (
        Path("this service", "sse", "chat"),
        *(Path(name, "sse", url) for name, url in settings.named_sse_paths),
        *((Path("WebSocket API", "websocket", "websocket"),) if settings.websocket_endpoint else ()),
        *((Path("AppSync Events", "appsync", "appsync"),) if settings.appsync_endpoint else ()),
    )


def origins(settings: Settings) -> list[str]:
    """To where the page must be allowed to connect."""
    elsewhere = (
        realtime_url(settings.appsync_endpoint),
        settings.websocket_endpoint.replace("http", "ws", 1),
        *(url for _, url in settings.named_sse_paths),
    )
    return [f"{url.scheme}://{url.netloc}" for url in map(urlsplit, elsewhere) if url.netloc]
