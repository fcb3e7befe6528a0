"""The options of `converse-emulator hop websocket-api`."""

import argparse
from typing import TYPE_CHECKING, Any

from converse_emulator.errors import EmulatorError

from converse_hops.websocket.events import CONNECT, DEFAULT, DISCONNECT
from converse_hops.websocket.limits import Unknowns

if TYPE_CHECKING:
    from converse_emulator.admission.credentials import Credentials

UNKNOWNS = Unknowns()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument(
        "--integration",
        metavar="URL",
        required=True,
        help="what events are posted to, as JSON; it answers as a function",
    )
    parser.add_argument(
        "--stage", default="prod", help="the path that clients connect to (default: %(default)s)"
    )
    parser.add_argument(
        "--route",
        metavar="KEY",
        dest="routes",
        action="append",
        help=f"a route's key; may be given several times (default: {CONNECT}, {DEFAULT} and {DISCONNECT})",
    )
    parser.add_argument(
        "--selection",
        metavar="EXPRESSION",
        default="$request.body.action",
        help="where in a message its route's key is (default: %(default)s)",
    )
    parser.add_argument(
        "--route-response", action="store_true", help="send clients the body that the integration returns"
    )
    parser.add_argument("--credentials", metavar="FILE", help="verify who manages connections (YAML)")
    parser.add_argument(
        "--post-latency",
        metavar="MIN..MAX",
        type=_span,
        default=(0.0, 0.0),
        help="seconds that a post takes, drawn for each, as 0.005..0.04 (default: none)",
    )
    parser.add_argument(
        "--seed", default="0", help="the same seed draws the same ids and latencies (default: 0)"
    )
    unknown = parser.add_argument_group("what is not documented")
    unknown.add_argument(
        "--client-buffer",
        metavar="BYTES",
        type=int,
        default=UNKNOWNS.client_buffer,
        help="what may wait for a slow client until posts get 429 (default: %(default)s)",
    )
    unknown.add_argument("--error-bodies", action="store_true", help="give 410 and 429 a body with a message")
    unknown.add_argument(
        "--refused-connect",
        choices=("its own", "403"),
        default=UNKNOWNS.refused_connect,
        help="the status of a handshake that $connect refuses (default: %(default)s)",
    )
    unknown.add_argument(
        "--no-notices",
        action="store_true",
        help="do not tell clients that an integration failed or was too slow",
    )


def arguments(options: argparse.Namespace) -> dict[str, Any]:
    """What they mean to `WebSocketApi`; raises `ValueError`."""
    return {
        "stage": options.stage,
        "routes": options.routes or (CONNECT, DEFAULT, DISCONNECT),
        "selection": options.selection,
        "route_response": options.route_response,
        "credentials": _credentials(options.credentials),
        "post_latency": options.post_latency,
        "seed": options.seed,
        "unknowns": Unknowns(
            client_buffer=options.client_buffer,
            error_bodies=options.error_bodies,
            refused_connect=options.refused_connect,
            notices=not options.no_notices,
        ),
        "host": options.host,
        "port": options.port,
        "speed": options.speed,
    }


def _credentials(path: str | None) -> "Credentials | None":
    if path is None:
        return None
    from converse_emulator.admission.credentials import load_credentials

    try:
        return load_credentials(path)
    except EmulatorError as error:
        raise ValueError(str(error)) from error


def _span(text: str) -> tuple[float, float]:
    low, dots, high = text.partition("..")
    try:
        span = float(low), float(high if dots else low)
    except ValueError:
        span = (1.0, 0.0)
    if not 0 <= span[0] <= span[1]:
        raise argparse.ArgumentTypeError(f"{text!r} is no span of seconds; it looks like 0.005..0.04")
    return span
