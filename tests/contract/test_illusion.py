"""Streaming that only looks like it, made by a handler or by a proxy: it is told from the real thing."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from converse_contract import Outcome, ReferenceDialect, Target, run
from converse_contract.catalogue import CASES
from converse_contract.demo import LIMITS
from converse_contract.serving import environment, serving
from converse_hops import BufferingProxy, LoadBalancer

from tests.handler.nginx import nginx

pytestmark = pytest.mark.xdist_group("contract")

FIRST = [case for case in CASES if case.id.startswith("1.")]
IS_STREAMING = {"1.14", "1.15"}  # each piece is seen at the far end before the next one is let go
ONE_STREAM = {"1.18", "1.19"}  # what was asked of Bedrock; a blocking answer cannot lack its usage
ACCEL = {"1.2"}  # the header that a proxy takes for itself

Broken = Callable[[str], dict[str, str]]


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    with serving("converse_emulator", "serve", "--port", "0") as url:
        yield url


@pytest.fixture
def start(emulator: str) -> Iterator[Callable[..., str]]:
    with ExitStack() as servers:
        env = environment(emulator, LIMITS)
        yield lambda *command: servers.enter_context(serving(*command, env=env))


@pytest.fixture
def broken(emulator: str) -> Broken:
    """The cases of the first section that do not hold for a URL, with what was seen instead."""

    def judge(url: str) -> dict[str, str]:
        results = run(FIRST, Target(url, ReferenceDialect(), LIMITS), emulator).results
        return {
            result.case.id: str(result.verdict)
            for result in results
            if result.verdict.outcome is not Outcome.PASSED
        }

    return judge


def test_the_illusion_looks_like_an_event_stream_and_is_none(
    start: Callable[..., str], broken: Broken
) -> None:
    url = start("converse_contract.mutants", "illusion", "--port", "0")
    found = broken(url)
    assert found.keys() == IS_STREAMING | ONE_STREAM
    assert "Converse" in found["1.19"]


def test_it_is_none_behind_a_hop_either(start: Callable[..., str], broken: Broken) -> None:
    with LoadBalancer(start("converse_contract.mutants", "illusion", "--port", "0")) as balancer:
        assert broken(balancer.url).keys() == IS_STREAMING | ONE_STREAM
        assert all(passage.held() == 0 for passage in balancer.journal)  # and the hop is not to blame


def test_a_handler_that_streams_is_none_behind_a_proxy_that_buffers(
    start: Callable[..., str], broken: Broken
) -> None:
    handler = start("converse_handler", "--port", "0")
    with BufferingProxy(handler) as looking, BufferingProxy(handler, ignore_accel=True) as ignoring:
        assert broken(looking.url).keys() == ACCEL
        assert broken(ignoring.url).keys() >= IS_STREAMING


def test_nor_behind_an_nginx_that_is_told_not_to_look(start: Callable[..., str], broken: Broken) -> None:
    handler = start("converse_handler", "--port", "0")
    with nginx(handler) as looking, nginx(handler, "proxy_ignore_headers X-Accel-Buffering") as ignoring:
        default, told = broken(looking), broken(ignoring)
    assert default.keys() == ACCEL
    assert told.keys() >= IS_STREAMING
