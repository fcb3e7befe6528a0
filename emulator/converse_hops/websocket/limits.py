"""The limits of a WebSocket API, as AWS documents them, and the switches for what nobody has documented."""

from dataclasses import dataclass
from typing import Literal

MESSAGE = 131_072  # bytes, either way
FRAME = 32_768  # bytes; a longer message must come in several frames, or the connection ends with 1009


@dataclass(frozen=True, slots=True)
class Limits:
    """Durations are seconds, before any scaling."""

    integration: float = 29.0  # for an answer of the integration; what it runs is not stopped
    idle: float = 600.0  # without a message either way
    lifetime: float = 7200.0
    connections_per_second: float = 500.0  # new ones, of an account
    posts_per_second: float = 10_000.0  # the account's quota
    posts_at_once: float = 5_000.0  # its burst


@dataclass(frozen=True, slots=True)
class Unknowns:
    """What is not documented, and what is assumed of it.

    `client_buffer`: bytes that may wait for a slow client until posts get 429. `error_bodies`: 410 and 429
    have a JSON body with a message; users of several SDKs report an empty one for 410. `refused_connect`: the
    handshake's status when `$connect` returned another than 2xx: its own, or 403. `notices`: the client gets
    a message of the gateway's own when no route fits, or an integration fails or takes too long.
    """

    client_buffer: int = MESSAGE
    error_bodies: bool = False
    refused_connect: Literal["its own", "403"] = "its own"
    notices: bool = True
