"""What the command line of `converse-contract` understands."""

import argparse
from dataclasses import asdict
from pathlib import Path

from converse_contract.case import CAPABILITIES, Level, Limits
from converse_contract.delivery.path import PATHS
from converse_contract.dialects.reference import PATH, REQUEST

ABOUT = "Run the contract of a streaming chat handler. Exit codes: 0 all hold, 1 some fail, 2 could not run."
ABOUT_DELIVER = (
    "Start a handler, put the stand-ins of a path in front of it, and run the section on delivery at the\n"
    "far end. Without --function and --service it is the reference handler. Paths:\n\n"
    + "\n".join(f"  {path.name:<14} {path.about}" for path in PATHS.values())
)
ABOUT_LIMITS = {
    "first_byte": "seconds the handler waits for Bedrock's first byte",
    "between_bytes": "seconds it waits between two bytes",
    "total": "seconds a whole answer may take",
    "tool": "seconds a tool call may take",
    "heartbeat": "seconds between two heartbeats",
    "attempts": "calls of Bedrock it makes at most before the first text",
    "tool_rounds": "rounds of tool calls it makes at most",
}
LIMITS = {name: (default, ABOUT_LIMITS[name]) for name, default in asdict(Limits()).items()}
PROBE_PATH = "/health"
LACKING = [name for name in CAPABILITIES if name != "short_total"]  # that one follows from --total


def parser() -> argparse.ArgumentParser:
    """The parser of `converse-contract`; `command` is the word for what to do."""
    parser = argparse.ArgumentParser(prog="converse-contract", description=ABOUT)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    choice = argparse.ArgumentParser(add_help=False)
    choice.add_argument(
        "--case", action="append", metavar="GLOB", help="only cases with such an id, like '5.*'"
    )
    choice.add_argument(
        "--level",
        choices=[level.value for level in Level],
        default="SHOULD",
        help="MUST: leave out the SHOULDs",
    )
    commands.add_parser("list", parents=[choice], help="list the cases")
    shows = commands.add_parser("show", help="tell all about a case")
    shows.add_argument("id")
    demos = commands.add_parser(
        "demo", parents=[choice, _reports()], help="run it all against the reference handler"
    )
    demos.set_defaults(html=Path("report.html"))
    runs = commands.add_parser(
        "run", parents=[choice, _reports()], help="run the catalogue against a handler"
    )
    runs.add_argument("url", help="where the handler is")
    runs.add_argument(
        "--emulator", required=True, metavar="URL", help="the emulator that it uses as its Bedrock"
    )
    _add_target(runs)
    delivers = commands.add_parser(
        "deliver",
        parents=[choice, _reports()],
        help="run a handler over a path to the browser, with stand-ins for what is on it",
        description=ABOUT_DELIVER,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_path(delivers)
    _add_target(delivers)
    return parser


def _reports() -> argparse.ArgumentParser:
    """Which reports there are besides the one on the terminal; a parser for each, as defaults are its own."""
    reports = argparse.ArgumentParser(add_help=False)
    for kind in ("json", "junit", "html"):
        reports.add_argument(
            f"--{kind}", type=Path, metavar="FILE", help=f"write the {kind} report here, too"
        )
    return reports


def _add_path(delivers: argparse.ArgumentParser) -> None:
    """What there is to say about the path."""
    delivers.add_argument("over", choices=list(PATHS), metavar="PATH", help="one of those above")
    delivers.add_argument("--function", metavar="COMMAND", help="a program that speaks Lambda's Runtime API")
    delivers.add_argument(
        "--service", metavar="COMMAND|URL", help="a web server: its command, with {port} in it, or its URL"
    )
    delivers.add_argument(
        "--emulator", metavar="URL", help="an emulator that runs already (default: one is started)"
    )
    delivers.add_argument(
        "--forget", action="store_true", help="leave the path's switch as it comes, to see what is lost"
    )


def _add_target(runs: argparse.ArgumentParser) -> None:
    """What there is to say about the handler under test."""
    for name, (default, about) in LIMITS.items():
        number, unit = (int, "N") if isinstance(default, int) else (float, "S")
        runs.add_argument(
            f"--{name.replace('_', '-')}",
            type=number,
            default=default,
            metavar=unit,
            help=f"{about} (default {default:g})",
        )
    runs.add_argument(
        "--without", action="append", choices=LACKING, default=[], help="what the handler lacks"
    )
    runs.add_argument("--path", default=PATH, help="the path to ask (%(default)s)")
    runs.add_argument("--request", default=REQUEST, metavar="JSON", help="the request's body (%(default)s)")
    runs.add_argument("--probe-path", default=PROBE_PATH, help="a page that answers at once (%(default)s)")
