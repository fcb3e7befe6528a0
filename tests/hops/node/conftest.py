"""Functions on AWS's own runtime client for Node, and gates that hold them."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from converse_hops import Function

from tests.hops.gates import Gates
from tests.hops.real_peers import folder_of_peer

CODE = Path(__file__).with_name("functions.mjs")


@pytest.fixture
def gates() -> Iterator[Gates]:
    with Gates() as held:
        yield held


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], list[str]]:
    """The command that runs a function of functions.mjs, in `tmp_path`."""
    modules = folder_of_peer("aws-lambda-ric") / "node_modules"
    (tmp_path / "node_modules").symlink_to(modules)  # Node looks for packages beside the code
    shutil.copy(CODE, tmp_path)
    return lambda name: [str(modules / ".bin" / "aws-lambda-ric"), f"functions.{name}"]


@pytest.fixture
def node(
    gates: Gates, program: Callable[[str], list[str]], tmp_path: Path
) -> Iterator[Callable[[str], Function]]:
    """A function of functions.mjs, by its name."""
    with ExitStack() as stack:

        def start(name: str) -> Function:
            return stack.enter_context(Function(program(name), cwd=tmp_path, env={"GATES": gates.url}))

        yield start
