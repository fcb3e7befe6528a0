"""`python -m converse_contract.mutants.paths NAME [--port PORT]`: a mutant, as a service or as a function.

In Lambda, which is told by the environment, it is a function. `base` is what all are made from.
"""

import argparse
import asyncio
import os
from collections.abc import Sequence

import uvicorn

from converse_contract.mutants.paths import WALKERS
from converse_contract.mutants.paths.function import FunctionWalker


def main(arguments: Sequence[str] | None = None) -> None:
    """The command; it ends with SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m converse_contract.mutants.paths", description=__doc__)
    parser.add_argument("name", choices=["base", *WALKERS], metavar="NAME", help=", ".join(WALKERS))
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args(arguments)
    walker = WALKERS.get(options.name, FunctionWalker)()
    if "AWS_LAMBDA_RUNTIME_API" in os.environ and isinstance(walker, FunctionWalker):
        asyncio.run(walker.serve())
    else:
        config = uvicorn.Config(
            walker.app(), port=options.port, log_level="critical", timeout_graceful_shutdown=1, lifespan="off"
        )
        uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
