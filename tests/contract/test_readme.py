"""What contract_tests/README.md says is so."""

import re
import shlex
from pathlib import Path

import converse_contract
import pytest
from converse_contract import Case, ReferenceDialect, checks
from converse_contract.arguments import parser
from converse_contract.case import CAPABILITIES
from converse_contract.cli import main
from converse_contract.delivery import PATHS, Program
from converse_contract.transcript import BlockStarted, BlockStopped, Finished, Sentinel, Started, Text

README = (Path(__file__).parents[2] / "contract_tests" / "README.md").read_text()


def block(containing: str) -> str:
    """The fenced block that has these words in it."""
    (found,) = (one for one in re.findall(r"^```\w*\n(.*?)^```", README, re.M | re.S) if containing in one)
    return str(found)


def test_every_option_it_names_exists(capsys: pytest.CaptureFixture[str]) -> None:
    known = set()
    for command in ("run", "deliver"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        known |= set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out))
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)) - {"--port"}
    assert named - known == set()


def test_the_stream_it_shows_is_read_as_it_says() -> None:
    seen = ReferenceDialect().reader().feed(block("message_start").encode() + b"\n")
    assert [one.event for one in seen] == [
        Started(),
        BlockStarted(0, "text"),
        Text("Your ", 0),
        BlockStopped(0),
        Finished("end_turn", False, 9, 2),
        Sentinel(),
    ]


def test_the_case_it_shows_can_be_written_like_this() -> None:
    names = {**vars(checks), **vars(converse_contract)}
    case = eval(block('id="20.1"').strip().rstrip(","), names)
    assert isinstance(case, Case)
    assert case.scenario == [[{"text": "Your plan "}, {"throw": "throttlingException"}]]


def test_it_tells_how_to_say_what_a_handler_lacks() -> None:
    lacking = set(re.findall(r"--without ([a-z_]+)", README))
    assert lacking == CAPABILITIES.keys() - {"short_total"}


def test_the_paths_it_lists_are_all_there_are_and_so_are_their_switches() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^|`]+) \| (.+) \|$", README, re.M)
    assert [(name, about) for name, about, _ in rows] == [(path.name, path.about) for path in PATHS.values()]
    for name, _, switch in rows:
        assert (PATHS[name].switch or "none") in switch


def test_the_commands_it_shows_for_a_path_are_understood() -> None:
    lines = [line.partition("#")[0] for line in block("deliver function-url").splitlines()]
    for line in lines:
        options = parser().parse_args(shlex.split(line.removeprefix("$ converse-contract")))
        assert options.over in PATHS
        assert Program.of(options.function, options.service)


def test_the_code_it_shows_for_a_path_can_be_imported() -> None:
    for line in block("import DELIVERY").splitlines():
        if line.startswith("from "):
            exec(line)
