"""The quick clients, unmodified, each in its environment: what they make of each condition is as expected."""

from collections.abc import Iterator

import pytest
from converse_emulator import Emulator

from conformance.clients import Client, load_clients
from conformance.environments import is_built
from conformance.expectations import load_expectations
from conformance.outcome import differences
from conformance.talk import talk

CLIENTS = load_clients()
EXPECTED = load_expectations()
QUICK = [client for client in CLIENTS.values() if client.quick]
PAIRS = [(client, condition) for client in QUICK for condition in client.conditions]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.mark.parametrize(("client", "condition"), PAIRS, ids=lambda part: getattr(part, "id", part))
def test_a_client_makes_of_a_condition_what_is_expected(
    emulator: Emulator, client: Client, condition: str
) -> None:
    if not is_built(client):
        pytest.skip(f"no environment; `python -m conformance.runner --build {client.id}` makes it")
    assert differences(talk(emulator, client, condition), EXPECTED[client.id][condition]) == []
