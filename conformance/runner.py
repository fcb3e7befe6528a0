"""Run clients against the emulator, and hold what they make of it against expected.toml.

    python -m conformance.runner [--quick] [--build | --accept | --tls] [CLIENT …]

Over TLS only what does not break off is tried: how a client words a broken connection is the TLS library's.
A client whose environment cannot be had on this machine is named and left out.
Exit status: 0 all is as expected, 1 something is not, 2 nothing could be tried.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

from converse_emulator import Emulator

from conformance.clients import Client, load_clients
from conformance.environments import Unavailable, build
from conformance.expectations import FILE, load_expectations, merged, written
from conformance.outcome import Outcome, differences
from conformance.talk import Broken, talk

BROKEN = ("hangup", "reset")  # conditions
AT_ONCE = 3  # scripts; they wait more than they work

Outcomes = dict[str, dict[str, Outcome]]  # by client and condition


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    options = _parser().parse_args(arguments)
    clients = load_clients()
    unknown = [name for name in options.clients if name not in clients]
    if unknown:
        print(f"{', '.join(unknown)}: no such client; there are {', '.join(clients)}", file=sys.stderr)
        return 2
    chosen = [clients[name] for name in options.clients or clients]
    if options.quick:
        chosen = [client for client in chosen if client.quick]
    built = [client for client in chosen if _built(client)]
    if options.build:
        return 0
    outcomes, broken = _try(built, tls=options.tls)
    if options.accept:
        FILE.write_text(written(merged(outcomes, clients)), encoding="utf-8")
        print(f"{FILE.name} is written anew; now run `python -m conformance.table`")
        return 1 if broken else 0
    wrong = _compare(outcomes) + broken
    tried = sum(map(len, outcomes.values())) + broken
    print(f"{tried - wrong} as expected, {wrong} not, {len(chosen) - len(built)} clients not available")
    return 1 if wrong else 0 if built else 2


def _built(client: Client) -> bool:
    """Whether the client's environment is there, or could be made."""
    try:
        build(client, lambda: print(f"installing {client.id} …", flush=True))
    except Unavailable as reason:
        print(f"not available: {client.id}: {reason}", flush=True)
        return False
    return True


def _try(clients: Iterable[Client], *, tls: bool = False) -> tuple[Outcomes, int]:
    """What the clients make of their conditions, and how many scripts did not work at all."""
    outcomes: Outcomes = {}
    broken = 0
    with ExitStack() as stack, ThreadPoolExecutor(AT_ONCE) as pool:
        clients = list(clients)
        emulators = {
            secured: stack.enter_context(Emulator(tls=secured))
            for secured in {tls or client.tls for client in clients}
        }
        running: Mapping[tuple[str, str], Future[Outcome]] = {
            (client.id, condition): pool.submit(talk, emulators[tls or client.tls], client, condition)
            for client in clients
            for condition in client.conditions
            if not tls or condition not in BROKEN
        }
        for (client_id, condition), future in running.items():
            try:
                outcomes.setdefault(client_id, {})[condition] = future.result()
                print(f"tried: {client_id} {condition}", flush=True)
            except Broken as reason:
                broken += 1
                print(f"BROKEN: {client_id} {condition}: {reason}", flush=True)
    return outcomes, broken


def _compare(outcomes: Outcomes) -> int:
    """How many outcomes are not as expected; each is printed."""
    expectations = load_expectations()
    wrong = 0
    for client_id, by_condition in outcomes.items():
        for condition, outcome in by_condition.items():
            expected = expectations.get(client_id, {}).get(condition)
            found = differences(outcome, expected) if expected else [f"{outcome} is not expected yet"]
            wrong += bool(found)
            for line in found:
                print(f"NOT AS EXPECTED: {client_id} {condition}: {line}")
    return wrong


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m conformance.runner", description=__doc__.split("\n")[0])
    parser.add_argument("clients", metavar="CLIENT", nargs="*", help="of clients.toml; all if none is named")
    parser.add_argument("--quick", action="store_true", help="only those that clients.toml calls quick")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--tls", action="store_true", help="over HTTPS, with the emulator's own authority")
    what.add_argument("--build", action="store_true", help="only make the environments")
    what.add_argument("--accept", action="store_true", help="write what happens to expected.toml")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
