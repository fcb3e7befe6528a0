"""The paths: what lies between the program and the browser, which limits it has, and what it can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Protocol = Literal["sse", "websocket", "appsync"]
Trait = Literal["function", "tells leaving", "head"]

MINUTE, HOUR = 60.0, 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class Path:
    """One way to a browser. `about` names what is on it, the browser's end first.

    `idle` and `total` are the shortest documented limits on it, in seconds: without a byte or message, and of
    an answer; None where there is none. `switch` is what has to be set for it to stream, if anything has.
    Traits: the program is a `function`; the program learns when the browser leaves (`tells leaving`); the
    `head` of the program's own response reaches the browser.
    """

    name: str
    about: str
    protocol: Protocol
    traits: frozenset[Trait]
    idle: float | None = None
    total: float | None = None
    switch: str | None = None

    @property
    def runs_function(self) -> bool:
        return "function" in self.traits


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the hops of a path are set for a case; what is not said is as on AWS.

    `idle`: the seconds that the path's limit of that name takes here, its hops' clocks being scaled. `total`:
    the seconds after which the path is at its end: the function's own timeout, or a WebSocket's longest life.
    `forget`: the path's switch is left as it comes. `silent_leaving`: nobody is told that a WebSocket closed,
    as `$disconnect` is promised to nobody. `post_latency`: the seconds that posting a message takes.
    `reorder`, `drop`: the chances of an event to be overtaken, and to get lost.
    """

    idle: float | None = None
    total: float | None = None
    forget: bool = False
    silent_leaving: bool = False
    post_latency: tuple[float, float] = (0.0, 0.0)
    reorder: float = 0.0
    drop: float = 0.0

    def speed(self, path: Path) -> float:
        """How much faster than on AWS the clocks of the path's hops run."""
        return 1.0 if self.idle is None or path.idle is None else path.idle / self.idle


FUNCTION: frozenset[Trait] = frozenset({"function", "head"})
SERVICE: frozenset[Trait] = frozenset({"tells leaving", "head"})
LONGEST = 15 * MINUTE  # that a function may be given

_ALL = (
    Path(
        "function-url",
        "function URL, Lambda function",
        "sse",
        FUNCTION,
        total=LONGEST,
        switch="InvokeMode: RESPONSE_STREAM",
    ),
    Path(
        "rest-api",
        "API Gateway REST API, Lambda function",
        "sse",
        FUNCTION,
        idle=30.0,  # of an edge-optimised endpoint
        total=LONGEST,
        switch="responseTransferMode: STREAM",
    ),
    Path("http-api", "API Gateway HTTP API, Lambda function", "sse", FUNCTION, idle=30.0, total=LONGEST),
    Path(
        "web-adapter",
        "function URL, Lambda function, Lambda Web Adapter, web application",
        "sse",
        frozenset({"head"}),
        total=LONGEST,
        switch="AWS_LWA_INVOKE_MODE=response_stream",
    ),
    Path(
        "cloudfront",
        "CloudFront, function URL, Lambda function",
        "sse",
        FUNCTION,
        idle=30.0,
        total=LONGEST,
        switch="InvokeMode: RESPONSE_STREAM",
    ),
    Path("load-balancer", "Application Load Balancer, service", "sse", SERVICE, idle=MINUTE),
    Path(
        "proxy",
        "Application Load Balancer, buffering proxy, service",
        "sse",
        SERVICE,
        idle=MINUTE,
        switch="X-Accel-Buffering: no",
    ),
    Path(
        "websocket",
        "API Gateway WebSocket API, service",
        "websocket",
        frozenset({"tells leaving"}),
        idle=10 * MINUTE,
        total=2 * HOUR,
    ),
    Path("appsync", "AppSync Event API, service", "appsync", frozenset()),
)
PATHS: Mapping[str, Path] = {path.name: path for path in _ALL}
