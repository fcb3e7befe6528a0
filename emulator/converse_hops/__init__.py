"""Local stand-ins for what lies between a streaming handler and a browser, with switches and limits."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from converse_hops.functions.function import Function
    from converse_hops.hop import Hop
    from converse_hops.journal import Journal
    from converse_hops.passage import Passage
    from converse_hops.proxies.buffering import BufferingProxy
    from converse_hops.proxies.cloudfront import CloudFront
    from converse_hops.proxies.load_balancer import LoadBalancer
    from converse_hops.web_adapter.adapter import WebAdapter

__all__ = [
    "BufferingProxy",
    "CloudFront",
    "Function",
    "Hop",
    "Journal",
    "LoadBalancer",
    "Passage",
    "WebAdapter",
]

_HOMES = {
    "functions.function": ("Function",),
    "hop": ("Hop",),
    "journal": ("Journal",),
    "passage": ("Passage",),
    "proxies.buffering": ("BufferingProxy",),
    "proxies.cloudfront": ("CloudFront",),
    "proxies.load_balancer": ("LoadBalancer",),
    "web_adapter.adapter": ("WebAdapter",),
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use: a hop costs what it needs itself."""
    for module, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(f"{__name__}.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
