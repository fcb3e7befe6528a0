"""The handler behind a load balancer: whose keep-alive is longer, and silences of the model."""

import time
from collections.abc import Callable

import httpx
import pytest
from converse_contract.serving import serving
from converse_emulator import Session
from converse_hops import LoadBalancer

from tests.handler.resuming import ASKED, client, numbers_in, text_in
from tests.handler.test_main import started

Serve = Callable[..., str]
DEFAULT_OF_UVICORN = 5  # seconds that it keeps an idle connection


@pytest.mark.usefixtures("bedrock")  # for its environment
def test_the_handler_does_not_close_idle_connections_before_the_load_balancer_does() -> None:
    """One that does is a 502 now and then; with `late_fin` each of them comes."""
    with started() as (_, url), LoadBalancer(url, late_fin=True) as balancer, client() as who:
        assert who.get(f"{balancer.url}/health").status_code == 200
        time.sleep(DEFAULT_OF_UVICORN + 1)
        assert who.get(f"{balancer.url}/health").status_code == 200


def test_a_server_that_is_left_at_its_default_does() -> None:
    with (
        serving("converse_contract.mutants", "base", "--port", "0") as url,
        LoadBalancer(url, late_fin=True) as balancer,
        client() as who,
    ):
        assert who.get(f"{balancer.url}/health").status_code == 200
        time.sleep(DEFAULT_OF_UVICORN + 2)
        assert who.get(f"{balancer.url}/health").status_code == 502


@pytest.mark.parametrize("tool_pause", [False, True])
def test_heartbeats_carry_a_silence_over_the_idle_timeout(
    serve: Serve, bedrock: Session, tool_pause: bool
) -> None:
    """A minute is up after a second; the model, or a tool, is silent for two."""
    if tool_pause:
        bedrock.play([{"tool_use": {"name": "slow_report", "input": {"seconds": 2}}}])
        bedrock.play("two")
    else:
        bedrock.play([{"wait": "2s"}, {"text": "two"}])
    with LoadBalancer(serve(heartbeat=0.2), idle_timeout=60, speed=60) as balancer, client() as who:
        response = who.post(f"{balancer.url}/chat", json=ASKED)
        assert balancer.journal.last.held() == 0
    assert text_in(response.text) == "two"
    assert response.text.endswith("data: [DONE]\n\n")
    assert numbers_in(response.text) == list(range(1, 1 + len(numbers_in(response.text))))


def test_without_heartbeats_the_silence_is_a_cut(serve: Serve, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"wait": "forever"}])
    with LoadBalancer(serve(), idle_timeout=60, speed=60) as balancer, client() as who:
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
            who.post(f"{balancer.url}/chat", json=ASKED)
        (cut,) = balancer.journal.last.of("cut")
    assert cut.detail == "idle timeout of 60 s"
    assert bedrock.journal.wait(1)[0].ended == "client left"
