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


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr("platformdirs.user_data_path", lambda name: folder / name)
        with Emulator(tls=True) as running:
            yield running


@pytest.mark.parametrize("condition", ["text", "tools"])
@pytest.mark.parametrize("client", QUICK, ids=lambda client: client.id)
def test_over_tls_it_is_the_same(secured: Emulator, client: Client, condition: str) -> None:
    """It speaks the same protocol as well; for the JavaScript SDK that is HTTP/2 by ALPN."""
    if not is_built(client):
        pytest.skip(f"no environment; `python -m conformance.runner --build {client.id}` makes it")
    assert differences(talk(secured, client, condition), EXPECTED[client.id][condition]) == []
