"""What a failed call of `@connections` means: gone, wait, or never."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from converse_handler.connections import Connections, connect_management
from converse_handler.publishing import NotPublished, ReaderLeft
from converse_handler.settings import SettingsError


class Client:
    """Fails with each of these in turn, then takes what is posted."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.calls: list[tuple[str, Any]] = []

    def post_to_connection(self, ConnectionId: str, Data: bytes) -> None:
        self.calls.append((ConnectionId, Data))
        if self.failures:
            raise self.failures.pop(0)

    def delete_connection(self, ConnectionId: str) -> None:
        self.calls.append((ConnectionId, None))


def answered(status: int) -> ClientError:
    response: Any = {"Error": {"Code": "x"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "PostToConnection")


def post(
    client: Client, *texts: bytes, patience: float = 30.0, chance: Callable[[], float] = lambda: 0.0
) -> None:
    async def run() -> None:
        connections = Connections(client, patience, chance)
        connection = connections.of("me==")
        await asyncio.gather(*map(connection.post, texts))
        connections.pool.shutdown()

    asyncio.run(run())


@pytest.mark.parametrize(
    "failure", [answered(429), answered(500), answered(503), EndpointConnectionError(endpoint_url="u")]
)
def test_what_may_pass_is_tried_again_and_nothing_overtakes_it(failure: Exception) -> None:
    client = Client(failure, failure)
    post(client, b"one", b"two")
    assert client.calls == [("me==", b"one")] * 3 + [("me==", b"two")]


def test_what_cannot_even_be_sent_is_not_tried_again() -> None:
    client = Client(NoCredentialsError())
    with pytest.raises(NotPublished, match="Unable to locate credentials"):
        post(client, b"one")
    assert len(client.calls) == 1


def test_410_means_that_the_browser_left() -> None:
    client = Client(answered(410))
    with pytest.raises(ReaderLeft):
        post(client, b"one")
    assert len(client.calls) == 1


@pytest.mark.parametrize("status", [400, 403, 413])
def test_what_will_never_pass_is_not_tried_again(status: int) -> None:
    client = Client(answered(status))
    with pytest.raises(NotPublished) as raised:
        post(client, b"one")
    assert not isinstance(raised.value, ReaderLeft)
    assert len(client.calls) == 1


def test_patience_ends() -> None:
    client = Client(*[answered(429)] * 1000)
    with pytest.raises(NotPublished, match="post_to_connection"):
        post(client, b"one", patience=0.3, chance=lambda: 1.0)
    assert 2 < len(client.calls) < 10  # the pauses double


def test_who_has_left_is_not_called() -> None:
    client = Client()

    async def run() -> None:
        connection = Connections(client, 1.0).of("me==")
        connection.left = True
        await connection.post(b"one")

    with pytest.raises(ReaderLeft):
        asyncio.run(run())
    assert client.calls == []


def test_an_endpoint_that_is_none_is_told() -> None:
    with pytest.raises(SettingsError, match="no client for connections"):
        connect_management("nowhere")


def test_a_client_never_retries_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config = connect_management("https://a.execute-api.us-east-1.amazonaws.com/prod").meta.config
    assert config.retries == {"total_max_attempts": 1, "mode": "standard"}
