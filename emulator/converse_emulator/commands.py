"""What each command of `converse-emulator` does. Imports are inside: a command needs few of them."""

import argparse
import gc
import json
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converse_emulator.address import is_loopback

if TYPE_CHECKING:
    from converse_emulator.emulator import Emulator

# Nearly all that a request leaves behind is freed without the collector. At its usual thresholds it would
# look through what the journal and open streams keep a hundred times a second.
SELDOM = (20_000, 20, 50)


class Unable(Exception):
    """The command cannot be carried out; the text says why."""


def serve(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    if not options.allow_remote and not is_loopback(options.host):
        raise Unable(
            f"{options.host} is not an address of this machine alone, and the emulator lets anybody in; "
            "use --allow-remote if that is wanted, in a container for instance"
        )
    if (options.auth == "strict") != (options.credentials is not None):
        raise Unable("--auth strict and --credentials FILE belong together")
    gc.disable()  # what is imported stays: to look through it again and again takes a tenth of the start
    try:
        emulator = _emulator(options)
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        emulator.start()
        gc.freeze()  # nor is it looked through later
        gc.set_threshold(*SELDOM)
    finally:
        gc.enable()
    try:
        print(f"ready {emulator.endpoint_url}", flush=True)
        if emulator.ca_bundle:
            print(f"ca {emulator.ca_bundle}", flush=True)
        ended.wait()
    finally:
        emulator.stop()
    return 0


def _emulator(options: argparse.Namespace) -> "Emulator":
    from converse_emulator.emulator import Emulator

    return Emulator(
        options.scenarios,
        seed=options.seed,
        speed=options.speed,
        host=options.host,
        port=options.port,
        validation=options.validation,
        models=options.models,
        credentials=options.credentials,
        quotas=options.quota,
        tls=_tls(options),
        wrap=options.wrap,
    )


def _tls(options: argparse.Namespace) -> bool | tuple[str, str]:
    if (options.tls_cert is None) != (options.tls_key is None):
        raise Unable("--tls-cert FILE and --tls-key FILE belong together")
    return (options.tls_cert, options.tls_key) if options.tls_cert else bool(options.tls)


def scenarios(options: argparse.Namespace) -> int:
    """List the scenarios with their titles."""
    from converse_emulator.language.library import Library

    library = Library(options.scenarios)
    names = library.names()
    width = max(map(len, names), default=0)
    for name in names:
        print(f"{name:{width}}  {library.get(name).title}")
    return 0


def show(options: argparse.Namespace) -> int:
    """Print what a scenario will send."""
    from converse_emulator.language.library import SUFFIXES, Library
    from converse_emulator.language.loader import load_file
    from converse_emulator.language.wrap_form import read_wrap
    from converse_emulator.rehearsal import Run, rehearsal_text

    is_file = options.name.endswith(SUFFIXES)
    scenario = load_file(options.name) if is_file else Library(options.scenarios).get(options.name)
    wrap = read_wrap(options.wrap, "--wrap") if options.wrap else None
    run = Run(options.seed, options.model, options.operation, wrap)
    print(rehearsal_text(scenario, run, options.requests))
    return 0


def decode(options: argparse.Namespace) -> int:
    """Print a body frame by frame; 1 where it breaks."""
    from converse_emulator.show import BadFrame, frame_lines

    body = sys.stdin.buffer.read() if options.file == "-" else Path(options.file).read_bytes()
    try:
        for line in frame_lines(body):
            print(line)
    except BadFrame as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def lint(options: argparse.Namespace) -> int:
    """Judge a body or an endpoint; 1 if it breaks a rule."""
    from converse_emulator.linting.lint import judge_body, judge_endpoint, report

    if options.target.startswith(("http://", "https://")):
        judgements = judge_endpoint(options.target, options.model)
    else:
        judgements = judge_body(Path(options.target).read_bytes())
    print("\n".join(report(judgements)))
    return int(any(judgement.breaches for judgement in judgements))


def schema(_: argparse.Namespace) -> int:
    """Print the JSON Schema of scenario files."""
    from converse_emulator.language.schema import json_schema

    print(json.dumps(json_schema(), indent=2))
    return 0


def journal(options: argparse.Namespace) -> int:
    """Print the journal of a running emulator."""
    from converse_emulator.show import journal_texts

    exchanges, outages = _journal_at(options.url)
    if options.json:
        print(json.dumps({"exchanges": exchanges, "outages": outages}, indent=2))
    else:
        print(*journal_texts(exchanges, outages), sep="\n")
    return 0


def replay(options: argparse.Namespace) -> int:
    """Print a scenario made of a journal."""
    from converse_emulator.replay import as_yaml, scenario_of, session_of
    from converse_emulator.show import outage_line

    exchanges, outages = _journal_at(options.journal)
    for outage in outages:
        print(f"# While this ran there was an outage, which no reply begins: {outage_line(outage)}")
    print(as_yaml(scenario_of(session_of(exchanges, options.session))), end="")
    return 0


def _journal_at(source: str) -> tuple[list[Any], list[Any]]:
    """Exchanges and outages of a running emulator, or of a journal that `journal --json` printed."""
    from urllib.request import urlopen

    from converse_emulator.tls import client_context

    is_url = source.startswith(("http://", "https://"))
    url = f"{source.rstrip('/')}/_emulator/journal?data=1"
    try:
        context = client_context() if url.startswith("https:") else None
        with urlopen(url, timeout=10, context=context) if is_url else open(source, "rb") as opened:
            told = json.load(opened)
            exchanges, outages = told["exchanges"], told.get("outages", [])
            assert isinstance(exchanges, list)
            assert isinstance(outages, list)
            return exchanges, outages
    except FileNotFoundError as error:
        raise Unable(
            f"{source!r} is neither a file nor an emulator's URL, as http://127.0.0.1:8080"
        ) from error
    except (ValueError, LookupError, TypeError, AssertionError) as error:
        raise Unable(f"{source} is no emulator's journal: {error!r}") from error
