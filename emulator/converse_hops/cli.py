"""The command `converse-emulator hop`: one hop as a process of its own, until SIGTERM."""

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import TextIO

from converse_emulator.address import is_loopback
from converse_emulator.option_types import port_number, speed_factor

from converse_hops.hop import Hop
from converse_hops.passage import Passage, Record
from converse_hops.registry import KINDS, Kind

PROGRAM = "converse-emulator hop"


def main(arguments: Sequence[str]) -> int:
    """Run a hop until it is told to end. Exit codes: 0 it ended, 2 it could not be done."""
    kinds = {kind.name: kind for kind in KINDS}
    kind = kinds.get(arguments[0]) if arguments else None
    if kind is None:  # then this helps, or says what there is
        _names(KINDS).parse_args(arguments)
        return 2
    hop_class = kind.load()
    options = _parser(kind, hop_class).parse_args(arguments[1:])
    try:
        return _run(hop_class, options)
    except (ValueError, OSError) as error:
        print(f"{PROGRAM} {kind.name}: {error}", file=sys.stderr)
        return 2


def _run(hop_class: type[Hop], options: argparse.Namespace) -> int:
    if hop_class.listens and not options.allow_remote and not is_loopback(options.host):
        raise ValueError(
            f"{options.host} is not an address of this machine alone, and a hop lets anybody in; "
            "use --allow-remote if that is wanted, in a container for instance"
        )
    logging.basicConfig(level=logging.INFO, format="%(message)s")  # what functions print, too
    logging.getLogger("websockets").setLevel(logging.WARNING)  # it tells of every connection
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    hop = hop_class.from_options(options)
    with open(options.journal or os.devnull, "w", buffering=1, encoding="utf-8") as lines:
        if options.journal:
            for each in hop.chain:
                each.journal.follow(partial(_write, lines, type(each).__name__))
        with hop:
            print(f"ready {hop.url}", flush=True)
            ended.wait()
    return 0


def _write(lines: TextIO, hop: str, passage: Passage, record: Record) -> None:
    line = {"hop": hop, "passage": passage.number, "about": passage.about, **asdict(record)}
    lines.write(json.dumps(line) + "\n")


def _names(kinds: Sequence[Kind]) -> argparse.ArgumentParser:
    """The parser of everything that is no hop's name."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage=f"{PROGRAM} NAME [options]",
        description="Stand in for one thing between a handler and a browser.",
        epilog=f"{PROGRAM} NAME --help tells the options of one.",
    )
    names = parser.add_subparsers(title="hops", metavar="NAME", required=True)
    for kind in kinds:
        names.add_parser(kind.name, help=kind.about)
    return parser


def _parser(kind: Kind, hop_class: type[Hop]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} {kind.name}",
        description=f"{kind.about[0].upper()}{kind.about[1:]}. The first line printed is `ready URL`.",
    )
    hop_class.add_options(parser)
    common = parser.add_argument_group("options of all hops")
    common.add_argument("--journal", metavar="FILE", help="write what passed when, a line of JSON each")
    if not hop_class.listens:
        return parser
    common.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    common.add_argument(
        "--port", type=port_number, default=0, help="the port; 0, the default, is any free one"
    )
    common.add_argument(
        "--speed",
        type=speed_factor,
        default=1.0,
        help="run the hop's clocks so many times as fast: at 60 a limit of a minute is up after a second",
    )
    common.add_argument("--allow-remote", action="store_true", help="allow a host that others can reach")
    return parser
