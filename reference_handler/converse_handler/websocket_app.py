"""The web side of answers over a WebSocket API, for a handler that runs on and on behind an HTTP integration.

    GET  /websocket   → {"url"}: where a browser connects
    POST /websocket   an event of the API, as a function gets it → what a function returns

Only the API may reach the second one: whoever can post events can write to every connection whose id is
known to him.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from converse_handler.connections import Connections, connect_management
from converse_handler.conversation import Model
from converse_handler.metrics import Metrics
from converse_handler.settings import Settings
from converse_handler.tools import Tools
from converse_handler.websocket import Desk, WebSocketChat


def websocket_routes(settings: Settings, model: Model, tools: Tools, metrics: Metrics) -> list[Route]:
    """The two routes; none without an endpoint. Raises `SettingsError`."""
    endpoint = settings.websocket_endpoint
    if not endpoint:
        return []
    connections = Connections(connect_management(endpoint), settings.between_bytes_timeout)
    chat = WebSocketChat(Desk(settings, model, connections, tools, metrics))

    async def take(request: Request) -> Response:
        return JSONResponse(await chat(await request.json()))

    async def tell(_request: Request) -> Response:
        return JSONResponse({"url": f"ws{endpoint.removeprefix('http')}"})

    return [Route("/websocket", tell), Route("/websocket", take, methods=["POST"])]
