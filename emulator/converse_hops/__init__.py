"""Local stand-ins for what lies between a streaming handler and a browser, with switches and limits."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from converse_hops.appsync.hop import AppSyncEvents
    from converse_hops.fronts.function_url import FunctionUrl
    from converse_hops.fronts.http_api import HttpApi
    from converse_hops.fronts.rest_api import RestApi
    from converse_hops.functions.function import Function
    from converse_hops.hop import Hop
    from converse_hops.proxies.buffering import BufferingProxy
    from converse_hops.proxies.cloudfront import CloudFront
    from converse_hops.proxies.load_balancer import LoadBalancer
    from converse_hops.web_adapter.adapter import WebAdapter
    from converse_hops.websocket.api import WebSocketApi

__all__ = [
    "AppSyncEvents",
    "BufferingProxy",
    "CloudFront",
    "Function",
    "FunctionUrl",
    "Hop",
    "HttpApi",
    "LoadBalancer",
    "RestApi",
    "WebAdapter",
    "WebSocketApi",
]

_HOMES = {
    "AppSyncEvents": "appsync.hop",
    "BufferingProxy": "proxies.buffering",
    "CloudFront": "proxies.cloudfront",
    "Function": "functions.function",
    "FunctionUrl": "fronts.function_url",
    "Hop": "hop",
    "HttpApi": "fronts.http_api",
    "LoadBalancer": "proxies.load_balancer",
    "RestApi": "fronts.rest_api",
    "WebAdapter": "web_adapter.adapter",
    "WebSocketApi": "websocket.api",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use: a hop costs what it needs itself."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
