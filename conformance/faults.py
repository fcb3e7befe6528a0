"""What real clients show of each fault in the library, held against faults.toml.

    python -m conformance.faults [--accept] [CLIENT …]

`--accept` adds what happens to faults.toml; what a client shows now and then differently is a list there.
Exit status: 0 all is as expected, 1 something is not.
"""

import argparse
import json
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from converse_emulator import Emulator, Library
from converse_emulator.language.faults import Tear, Trickle, Wild
from converse_emulator.language.scenario import FOREVER, Placed, Wait

from conformance.clients import load_clients
from conformance.environments import command_of, is_built

ROOT = Path(__file__).parents[1]
FILE = Path(__file__).with_name("faults.toml")
TOPICS = ("corruption", "frames", "segments", "connection", "responses", "resets", "truncation", "exceptions")
ENDLESS = "waits for ever"

TIMEOUT = 60.0  # seconds, for what does not wait: on a busy machine that may take a while
SHORT = 5.0  # seconds, for what does; who waits three times as long, waits for ever

CLIENTS: Mapping[str, str] = {
    "boto3": "boto3",
    "aiobotocore": "aiobotocore",
    "js-http2": "JavaScript SDK",
    "js-http1": "JavaScript SDK with its HTTP/1.1 handler",
}

Expected = dict[str, dict[str, list[str]]]  # outcomes by scenario and client


def fault_names() -> list[str]:
    """The scenarios of the library in which something goes wrong on the wire."""
    return [name for name in Library().names() if name.split("/")[0] in TOPICS]


def load_faults() -> Expected:
    """What is expected of each scenario and client."""
    if not FILE.exists():
        return {}
    with FILE.open("rb") as file:
        table = tomllib.load(file)
    return {
        scenario: {client: _list(told) for client, told in row.items()} for scenario, row in table.items()
    }


def _list(told: str | list[str]) -> list[str]:
    return [told] if isinstance(told, str) else told


def command(client: str) -> list[str] | None:
    """How the client's script is run; None where its environment has not been made."""
    if client == "boto3":
        return [sys.executable, str(ROOT / "tests" / "clients" / "stream_scenarios.py")]
    if client == "aiobotocore":
        return [sys.executable, str(ROOT / "conformance" / "scripts" / "aws_aiobotocore_scenarios.py")]
    environment = load_clients()["aws-sdk-js"]
    if not is_built(environment):
        return None
    node, script = command_of(environment)
    return [node, str(Path(script).with_name("aws_sdk_scenarios.mjs"))]


def observe(client: str, names: Sequence[str]) -> dict[str, str]:
    """What the client shows of each scenario."""
    waiting = [name for name in names if _makes_wait(name)]
    others = [name for name in names if name not in waiting]
    with Emulator() as emulator:
        endpoint_url = emulator.session(client).endpoint_url
        came = [
            *_stream(client, endpoint_url, TIMEOUT, others),
            *_stream(client, endpoint_url, SHORT, waiting),
        ]
    told = {each["scenario"]: outcome(each) for each in came}
    return {name: told.get(name, ENDLESS) for name in names}


def _stream(
    client: str, endpoint_url: str, read_timeout: float, names: Sequence[str]
) -> list[dict[str, Any]]:
    """What came to the client, of the scenarios that ended in time."""
    run = command(client)
    assert run
    more = [client.removeprefix("js-")] if client.startswith("js-") else []
    script = subprocess.Popen(
        [*run, endpoint_url, str(read_timeout), *more, *names],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    too_long = threading.Timer(3 * read_timeout, script.kill)
    too_long.start()
    with script:
        assert script.stdout
        came = [json.loads(line) for line in script.stdout]
    too_long.cancel()
    return came


def _makes_wait(name: str) -> bool:
    """A client may wait for something that never comes."""
    steps = (step for reply in Library().get(name).replies for step in reply)
    bare = [step.step if isinstance(step, Placed) else step for step in steps]
    return any(isinstance(step, Trickle | Wild | Tear) or step == Wait(FOREVER) for step in bare)


def outcome(came: Mapping[str, Any]) -> str:
    """In a line what a user of the client sees."""
    error = came["error"]
    if error:
        name = str(error["class"]).rsplit(".", 1)[-1]
        text = re.split(r"\n|https?://|Deserialization|, message=", str(error["text"]))[0]
        text = re.sub(r"0x[0-9a-f]+|\d{4,}|(?<=position )\d+|\d+(?= bytes read| more expected)", "…", text)
        return f"{name}: {text.strip()[:90]}" if text else name
    events = came["events"]
    if "messageStop" not in events:
        return "ends silently" if events else "ends silently, with nothing"
    return "ends as usual" if "metadata" in events else "ends as usual, without usage"


def written(expected: Expected) -> str:
    """The text of faults.toml."""
    lines = ["# Written by `python -m conformance.faults --accept`: what real clients show of each fault."]
    for scenario in sorted(expected):
        lines += ["", f"[{json.dumps(scenario)}]"]
        for client in CLIENTS:
            if told := expected[scenario].get(client):
                value = told[0] if len(told) == 1 else sorted(told)
                lines.append(f"{client} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m conformance.faults")
    parser.add_argument("clients", metavar="CLIENT", nargs="*", help=f"of {', '.join(CLIENTS)}")
    parser.add_argument("--accept", action="store_true", help="add what happens to faults.toml")
    options = parser.parse_args(arguments)
    expected, names, wrong = load_faults(), fault_names(), 0
    clients = [client for client in options.clients or CLIENTS if command(client)]
    with ThreadPoolExecutor() as pool:
        observed = dict(zip(clients, pool.map(lambda client: observe(client, names), clients), strict=True))
    for client, told in observed.items():
        for name, line in told.items():
            known = expected.setdefault(name, {}).setdefault(client, [])
            if line not in known:
                wrong += 1
                print(f"{name} {client}: {line}; expected: {' | '.join(known) or 'nothing yet'}")
                known.append(line)
    if options.accept:
        FILE.write_text(written({name: expected[name] for name in names}), encoding="utf-8")
        return 0
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
