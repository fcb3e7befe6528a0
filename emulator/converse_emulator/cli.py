"""The command `converse-emulator`.

Exit codes: 0 all is well, 1 what was looked at is bad, 2 it could not be done.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from converse_emulator import commands
from converse_emulator.commands import Unable
from converse_emulator.errors import EmulatorError
from converse_emulator.option_types import port_number, positive_number, speed_factor

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["hop"]:
        from converse_hops.cli import main as hop

        return hop(arguments[1:])
    options = _parser().parse_args(arguments)
    command: Command = options.command
    try:
        return command(options)
    except BrokenPipeError:  # `… | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Unable, EmulatorError, OSError) as error:
        print(f"converse-emulator: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="converse-emulator",
        description="A local Amazon Bedrock runtime that says, and fails, as it is told.",
    )
    parsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    serve = _add(parsers, commands.serve, "serve until SIGTERM; the first line printed is `ready URL`")
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    serve.add_argument(
        "--port", type=port_number, default=0, help="the port; 0, the default, is any free one"
    )
    _add_scenarios(serve)
    _add_seed(serve)
    _add_wrap(serve)
    serve.add_argument(
        "--speed", type=speed_factor, default=1.0, help="play so many times as fast (default: %(default)s)"
    )
    serve.add_argument(
        "--validation",
        choices=("strict", "model", "off"),
        default="strict",
        help="judge requests by the service model and Bedrock's semantic rules (strict, the default), by the "
        "service model, or not at all",
    )
    serve.add_argument("--models", metavar="FILE", help="a model catalogue of your own (YAML)")
    serve.add_argument(
        "--auth",
        choices=("any", "strict"),
        default="any",
        help="let anybody in (any, the default), or verify signatures and API keys (strict)",
    )
    serve.add_argument("--credentials", metavar="FILE", help="who is let in under --auth strict (YAML)")
    serve.add_argument(
        "--quota",
        metavar="MODEL-GLOB:rpm=N,tpm=N,concurrent=N",
        type=_quota,
        action="append",
        default=[],
        help="limit requests and tokens a minute and requests at a time; may be given several times",
    )
    serve.add_argument(
        "--tls",
        action="store_true",
        help="serve HTTPS with certificates of an authority of this machine's own; the second line printed "
        "is `ca FILE`, which clients are to trust (AWS_CA_BUNDLE, NODE_EXTRA_CA_CERTS, SSL_CERT_FILE)",
    )
    serve.add_argument("--tls-cert", metavar="FILE", help="serve HTTPS with this certificate (PEM)")
    serve.add_argument("--tls-key", metavar="FILE", help="the key of the certificate (PEM)")
    serve.add_argument("--allow-remote", action="store_true", help="allow a host that others can reach")

    _add_scenarios(_add(parsers, commands.scenarios, "list all scenarios"))

    show = _add(parsers, commands.show, "print what a scenario sends when")
    show.add_argument("name", metavar="NAME", help="a scenario, topic/name, or the path of a .yaml file")
    _add_scenarios(show)
    _add_seed(show)
    _add_model(show)
    show.add_argument(
        "--operation",
        choices=("ConverseStream", "Converse", "InvokeModelWithResponseStream", "InvokeModel"),
        default="ConverseStream",
        help="the operation that is called (default: %(default)s)",
    )
    _add_wrap(show)
    show.add_argument(
        "--requests",
        metavar="N",
        type=positive_number,
        help="how many requests to show, retries included (default: one for each reply, 5 with `instead`)",
    )

    decode = _add(parsers, commands.decode, "print an event-stream body frame by frame")
    decode.add_argument("file", metavar="FILE", help="a file with the bytes of the body; - is standard input")

    lint = _add(parsers, commands.lint, "judge a captured body or a live endpoint by the rules of the wire")
    lint.add_argument("target", metavar="FILE|URL", help="an event-stream body, or an endpoint's URL")
    _add_model(lint)

    parsers.add_parser("hop", help="stand in for one thing between a handler and a browser: hop --help")
    _add(parsers, commands.schema, "print the JSON Schema of scenario files, for editors")

    journal = _add(parsers, commands.journal, "print what a running emulator was asked and what it did")
    journal.add_argument("url", metavar="URL", help="the emulator's URL, as `serve` printed it")
    journal.add_argument("--json", action="store_true", help="all of it, with what was sent, for `replay`")

    replay = _add(parsers, commands.replay, "print a scenario that plays a run again, from its journal")
    replay.add_argument(
        "journal", metavar="JOURNAL", help="an emulator's URL, or what `journal --json` printed"
    )
    replay.add_argument("--session", metavar="NAME", help="the session, where the journal has several")
    return parser


def _add(
    parsers: "argparse._SubParsersAction[argparse.ArgumentParser]", run: Command, text: str
) -> argparse.ArgumentParser:
    command = parsers.add_parser(run.__name__, help=text, description=f"{text[0].upper()}{text[1:]}.")
    command.set_defaults(command=run)
    return command


def _add_scenarios(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--scenarios",
        metavar="DIR",
        nargs="+",
        action="extend",
        default=[],
        help="folders with scenario files of your own, beside those that come with the emulator",
    )


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model",
        default="anthropic.claude-3-haiku-20240307-v1:0",
        help="the model that is asked (default: %(default)s)",
    )


def _add_wrap(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--wrap",
        metavar="NAME=VALUE,…",
        help="what is done to every reply: slow, jitter, bandwidth, corrupt, cut, end, throttle, as in "
        "slow=2,jitter=20ms",
    )


def _add_seed(command: argparse.ArgumentParser) -> None:
    command.add_argument("--seed", default="0", help="the same seed draws the same chances (default: 0)")


def _quota(text: str) -> str:
    from converse_emulator.admission.quotas import quota_from

    try:
        quota_from(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text
