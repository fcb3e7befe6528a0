"""One client meets one condition."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from typing import Any

from converse_emulator import Emulator

from conformance.clients import Client
from conformance.conditions import CONDITIONS
from conformance.environments import command_of
from conformance.outcome import Outcome, outcome_of

PATIENCE = 240.0  # seconds that a script may take; agents that retry by themselves need more than two minutes
STILL_AT_IT = Outcome(error=f"none within {PATIENCE:g} s: it was still trying")  # uncounted requests

# The environment of a developer who has credentials, a region, and no wish to be asked or measured.
_ENVIRONMENT: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "dummy",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "DO_NOT_TRACK": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "NO_PROXY": "127.0.0.1",
    "PYTHONWARNINGS": "ignore",
}


class Broken(Exception):
    """A script told nothing, or the client spoke another protocol than it should; the text says which."""


def talk(emulator: Emulator, client: Client, condition: str) -> Outcome:
    """What the client makes of the condition; raises `Broken`."""
    session = emulator.session(f"{client.id}-{condition}")
    endpoint = f"{session.endpoint_url}/scenario/{CONDITIONS[condition].scenario}"
    seen = _run([*command_of(client), endpoint, condition], _trust(emulator))
    if seen is None:
        return STILL_AT_IT
    if not session.journal:
        raise Broken(f"it made no request that is served; it saw {seen['error_class']}: {seen['error_text']}")
    try:
        exchanges = session.journal.wait()
    except TimeoutError as error:
        raise Broken(f"its requests do not end: {error}") from None
    spoken = {f"HTTP/{exchange.http_version}" for exchange in exchanges}
    called = {exchange.operation for exchange in exchanges}
    if (spoken, called) != ({client.protocol}, {client.operation}):
        raise Broken(f"it called {called} over {spoken}, not {client.operation} over {client.protocol}")
    return outcome_of(seen, exchanges)


def _trust(emulator: Emulator) -> dict[str, str]:
    """How each kind of client is told the authority of an emulator that serves HTTPS."""
    if emulator.ca_bundle is None:
        return {}
    return dict.fromkeys(("AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"), str(emulator.ca_bundle))


def _run(command: list[str], trust: Mapping[str, str]) -> Mapping[str, Any] | None:
    """The JSON object in the last line that a script prints; None if it was not done in time."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment, **_ENVIRONMENT, **trust},
        start_new_session=True,
    )
    try:
        printed, complained = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None
    try:
        seen: Mapping[str, Any] = json.loads(printed.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise Broken(f"it told nothing:\n{printed}\n{complained}".rstrip()) from None
    return seen
