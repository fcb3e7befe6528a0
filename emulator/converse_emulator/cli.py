"""The command `converse-emulator`.

Exit codes: 0 all is well, 1 what was looked at is bad, 2 it could not be done.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from converse_emulator import commands
from converse_emulator.commands import Unable
from converse_emulator.errors import EmulatorError
from converse_emulator.option_types import port_number, positive_number, speed_factor

PROGRAM = "converse-emulator"


class Command(NamedTuple):
    """What a command is in a sentence, what it does, and what adds its arguments to its parser."""

    text: str
    run: Callable[[argparse.Namespace], int]
    add_arguments: Callable[[argparse.ArgumentParser], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["hop"]:
        from converse_hops.cli import main as hop

        return hop(arguments[1:])
    command = COMMANDS.get(arguments[0]) if arguments else None
    if command is None:  # then this helps, or says what there is
        _names().parse_args(arguments)
        return 2
    options = _parser(arguments[0], command).parse_args(arguments[1:])
    try:
        return command.run(options)
    except BrokenPipeError:  # `… | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Unable, EmulatorError, OSError) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 2


def _names() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="A local Amazon Bedrock runtime that says, and fails, as it is told.",
    )
    parsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        parsers.add_parser(name, help=command.text)
    parsers.add_parser("hop", help="stand in for one thing between a handler and a browser: hop --help")
    return parser


def _parser(name: str, command: Command) -> argparse.ArgumentParser:
    """Of this command alone: those of all take 10 ms, and a start waits for them."""
    text = f"{command.text[0].upper()}{command.text[1:]}."
    parser = argparse.ArgumentParser(prog=f"{PROGRAM} {name}", description=text)
    command.add_arguments(parser)
    return parser


def _serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=port_number, default=0, help="the port; 0, the default, is any free one"
    )
    _add_scenarios(parser)
    _add_seed(parser)
    _add_wrap(parser)
    parser.add_argument(
        "--speed", type=speed_factor, default=1.0, help="play so many times as fast (default: %(default)s)"
    )
    parser.add_argument(
        "--validation",
        choices=("strict", "model", "off"),
        default="strict",
        help="judge requests by the service model and Bedrock's semantic rules (strict, the default), by the "
        "service model, or not at all",
    )
    parser.add_argument("--models", metavar="FILE", help="a model catalogue of your own (YAML)")
    parser.add_argument(
        "--auth",
        choices=("any", "strict"),
        default="any",
        help="let anybody in (any, the default), or verify signatures and API keys (strict)",
    )
    parser.add_argument("--credentials", metavar="FILE", help="who is let in under --auth strict (YAML)")
    parser.add_argument(
        "--quota",
        metavar="MODEL-GLOB:rpm=N,tpm=N,concurrent=N",
        type=_quota,
        action="append",
        default=[],
        help="limit requests and tokens a minute and requests at a time; may be given several times",
    )
    parser.add_argument(
        "--tls",
        action="store_true",
        help="serve HTTPS with certificates of an authority of this machine's own; the second line printed "
        "is `ca FILE`, which clients are to trust (AWS_CA_BUNDLE, NODE_EXTRA_CA_CERTS, SSL_CERT_FILE)",
    )
    parser.add_argument("--tls-cert", metavar="FILE", help="serve HTTPS with this certificate (PEM)")
    parser.add_argument("--tls-key", metavar="FILE", help="the key of the certificate (PEM)")
    parser.add_argument("--allow-remote", action="store_true", help="allow a host that others can reach")


def _show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a scenario, topic/name, or the path of a .yaml file")
    _add_scenarios(parser)
    _add_seed(parser)
    _add_model(parser)
    parser.add_argument(
        "--operation",
        choices=("ConverseStream", "Converse", "InvokeModelWithResponseStream", "InvokeModel"),
        default="ConverseStream",
        help="the operation that is called (default: %(default)s)",
    )
    _add_wrap(parser)
    parser.add_argument(
        "--requests",
        metavar="N",
        type=positive_number,
        help="how many requests to show, retries included (default: one for each reply, 5 with `instead`)",
    )


def _decode(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a file with the bytes of the body; - is standard input")


def _lint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="FILE|URL", help="an event-stream body, or an endpoint's URL")
    _add_model(parser)


def _journal(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL", help="the emulator's URL, as `serve` printed it")
    parser.add_argument("--json", action="store_true", help="all of it, with what was sent, for `replay`")


def _replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "journal", metavar="JOURNAL", help="an emulator's URL, or what `journal --json` printed"
    )
    parser.add_argument("--session", metavar="NAME", help="the session, where the journal has several")


def _add_scenarios(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scenarios",
        metavar="DIR",
        nargs="+",
        action="extend",
        default=[],
        help="folders with scenario files of your own, beside those that come with the emulator",
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        default="anthropic.claude-3-haiku-20240307-v1:0",
        help="the model that is asked (default: %(default)s)",
    )


def _add_wrap(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wrap",
        metavar="NAME=VALUE,…",
        help="what is done to every reply: slow, jitter, bandwidth, corrupt, cut, end, throttle, as in "
        "slow=2,jitter=20ms",
    )


def _add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", default="0", help="the same seed draws the same chances (default: 0)")


def _quota(text: str) -> str:
    from converse_emulator.admission.quotas import quota_from

    try:
        quota_from(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


COMMANDS: Mapping[str, Command] = {
    "serve": Command("serve until SIGTERM; the first line printed is `ready URL`", commands.serve, _serve),
    "scenarios": Command("list all scenarios", commands.scenarios, _add_scenarios),
    "show": Command("print what a scenario sends when", commands.show, _show),
    "decode": Command("print an event-stream body frame by frame", commands.decode, _decode),
    "lint": Command(
        "judge a captured body or a live endpoint by the rules of the wire", commands.lint, _lint
    ),
    "schema": Command(
        "print the JSON Schema of scenario files, for editors", commands.schema, lambda _: None
    ),
    "journal": Command("print what a running emulator was asked and what it did", commands.journal, _journal),
    "replay": Command("print a scenario that plays a run again, from its journal", commands.replay, _replay),
}
