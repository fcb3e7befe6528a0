"""The rows of the article's table: what it says of them, and how they run here. The first is there twice:
as it has to be configured, and as the article does it.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from converse_contract.delivery.program import PORT, REFERENCE, Program


@dataclass(frozen=True, slots=True)
class Row:
    """`path` is its name in the contract suite's wiring, `starts` whether a function is started for it,
    `streams` whether it is to be found that it does. `said` is the article's: first token, wire, error
    recovery, tool calls.
    """

    number: int
    title: str
    path: str
    said: tuple[str, str, str, str]
    program: Program = REFERENCE
    starts: bool = False
    streams: bool = True

    @property
    def name(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def posts(self) -> bool:
        """Whether what comes is posted to a connection."""
        return self.path == "websocket"

    @property
    def article(self) -> float | None:
        """The first byte in the article, in seconds."""
        digits = self.said[0].removeprefix("~").removesuffix(" ms")
        return int(digits) / 1000 if digits.isdigit() else None


# Over a WebSocket nothing has to stream out of the function, so AWS's own runtime for Python will do.
PUSHING = Program((sys.executable, "-m", "awslambdaric", "converse_handler.websocket_lambda.handler"))
ILLUSION = Program(service=(sys.executable, "-m", "converse_contract.mutants", "illusion", "--port", PORT))
ROWS: tuple[Row, ...] = (
    Row(
        1,
        "REST API, Lambda, SSE",
        "rest-api",
        ("~800 ms", "SSE (text)", "Half-delivered", "Pause mid-stream"),
        starts=True,
    ),
    Row(
        1,
        "HTTP API, as the article has it",
        "http-api",
        ("~800 ms", "SSE (text)", "Half-delivered", "Pause mid-stream"),
        starts=True,
        streams=False,
    ),
    Row(
        2,
        "Function URL, SSE",
        "function-url",
        ("~800 ms", "SSE (text)", "Half-delivered", "Pause mid-stream"),
        starts=True,
    ),
    Row(
        3,
        "WebSocket API, Lambda",
        "websocket",
        ("~900 ms", "WebSocket", "Connection reset", "Bidirectional"),
        PUSHING,
        starts=True,
    ),
    Row(
        4,
        "Load balancer, service, SSE",
        "load-balancer",
        ("~500 ms", "SSE (text)", "Half-delivered", "Pause mid-stream"),
    ),
    Row(
        5, "The illusion", "load-balancer", ("Full generation", "JSON", "N/A", "N/A"), ILLUSION, streams=False
    ),
    Row(
        6,
        "AppSync Events",
        "appsync",
        ("~900 ms", "GraphQL subs", "Subscription drop", "Pause mid-stream"),
        starts=True,
    ),
)
BY_NAME: Mapping[str, Row] = {row.name: row for row in ROWS}
