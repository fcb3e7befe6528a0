"""`python -m converse_handler [--host HOST] [--port PORT]`: serve until SIGTERM or Ctrl-C.

The first line on stdout is `ready http://HOST:PORT`, once connections are accepted; the log is on stderr.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys

import uvicorn

from converse_handler.app import create_app
from converse_handler.settings import Settings, SettingsError

KEEP_ALIVE = 75  # seconds that an idle connection stays: longer than the 60 of a load balancer
GRACE = 5  # seconds that open streams get at the end


class Server(uvicorn.Server):
    """Says when it is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            print(f"ready http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)


def main() -> int:
    """Serve; 0 after a clean end, 2 when that cannot begin."""
    parser = argparse.ArgumentParser(prog="converse_handler", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0: a free one")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("converse_handler").setLevel(logging.INFO)
    try:
        app = create_app(Settings.from_environment(os.environ))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        family = socket.AF_INET6 if ":" in arguments.host else socket.AF_INET
        listener = socket.create_server((arguments.host, arguments.port), family=family)
    except (OSError, OverflowError) as error:
        print(f"cannot serve on {arguments.host}:{arguments.port}: {error}", file=sys.stderr)
        return 2
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the server raises it again once it is done
    with listener, contextlib.suppress(KeyboardInterrupt):
        asyncio.run(Server(config).serve([listener]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
