"""`python -m converse_contract.mutants NAME [--host --port]`: serve a mutant. The first line says where.

`base` is the handler that they are made from; `all` serves every mutant under the path of its name, but for
those that would be in the way of the others.
"""

import argparse
import socket
from collections.abc import Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from converse_contract.mutants import MUTANTS
from converse_contract.mutants.base import Handler


def main(arguments: Sequence[str] | None = None) -> None:
    """The command; it ends with SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m converse_contract.mutants", description=__doc__)
    parser.add_argument("name", choices=["base", "all", *MUTANTS], metavar="NAME", help=", ".join(MUTANTS))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 (the default): a free one")
    options = parser.parse_args(arguments)
    app = _app(options.name)
    with socket.create_server((options.host, options.port), backlog=512) as listening:
        print(f"ready http://{options.host}:{listening.getsockname()[1]}", flush=True)
        config = uvicorn.Config(
            app, http="h11", lifespan="off", log_level="critical", timeout_graceful_shutdown=1
        )
        uvicorn.Server(config).run(sockets=[listening])


def _app(name: str) -> Starlette:
    if name == "base":
        return Handler().app()
    if name != "all":
        return MUTANTS[name]().app()
    together = {path: mutant for path, mutant in MUTANTS.items() if not mutant.alone}
    return Starlette(routes=[Mount(f"/{path}", mutant().app()) for path, mutant in together.items()])


if __name__ == "__main__":
    main()
