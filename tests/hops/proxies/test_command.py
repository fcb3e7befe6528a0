"""The proxies as processes of their own."""

import httpx
import pytest
from converse_emulator.cli import main

from tests.hops.peers import Origin
from tests.hops.proxies.events import event, streaming
from tests.hops.test_cli import process


@pytest.mark.parametrize(
    ("hop", "options", "status"),
    [
        ("load-balancer", ["--idle-timeout", "60", "--client-keep-alive", "60", "--late-fin"], 504),
        ("cloudfront", ["--origin-read-timeout", "30", "--response-completion-timeout", "60"], 504),
        ("cloudfront", ["--connection-attempts", "1"], 504),
        ("buffering-proxy", ["--size", "9", "--ignore-accel", "--read-timeout", "60"], 504),
    ],
)
def test_each_runs_with_its_options(hop: str, options: list[str], status: int) -> None:
    with Origin(streaming(0, 0)) as origin, Origin(streaming(late=30.0)) as silent:
        with process(hop, "--origin", origin.url, *options) as (_, url):
            response = httpx.post(url, content=b"{}", trust_env=False)
            assert response.content == event(1) + event(2)
        with process(hop, "--origin", silent.url, "--speed", "100", *options) as (_, url):
            assert httpx.post(url, content=b"{}", trust_env=False, timeout=30).status_code == status


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["load-balancer", "--idle-timeout", "0"], "idle_timeout must be 1 to 4000 seconds, not 0"),
        (["cloudfront", "--origin-read-timeout", "121"], "origin_read_timeout must be 1 to 120 seconds"),
        (["buffering-proxy", "--size", "0"], "size must be at least 1 byte, not 0"),
    ],
)
def test_what_cannot_be_set_is_told(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    hop, *options = arguments
    assert main(["hop", hop, "--origin", "http://127.0.0.1:1", *options]) == 2
    assert capsys.readouterr().err.startswith(f"converse-emulator hop {hop}: {words}")
