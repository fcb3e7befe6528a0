"""Answers shared through a real Redis: one instance makes them, the browser comes back to another."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from converse_emulator import Session

from tests.handler.resuming import ask_until, client, ids_in, numbers_in, resume, text_in
from tests.handler.test_main import refused, started

Two = Callable[..., tuple[str, str]]
REDIS = shutil.which("redis-server")


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if REDIS is None:
        pytest.skip("there is no redis-server on this machine")
    pytest.importorskip("redis")
    where = tmp_path_factory.mktemp("redis") / "socket"  # no port that another could take meanwhile
    command = [REDIS, "--port", "0", "--unixsocket", str(where), "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=where.parent) as process:
        try:
            answers(where)
            yield f"unix://{where}"
        finally:
            process.terminate()


def answers(where: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(where))
                return
        except OSError:
            assert time.monotonic() < deadline, "redis-server did not start"
            time.sleep(0.02)


@pytest.fixture
def two(redis_url: str, serve: Callable[..., str]) -> Callable[..., tuple[str, str]]:
    """Two instances with these settings that share a Redis: `one, other = two(resume_grace=30)`."""
    return lambda **settings: (
        serve(redis_url=redis_url, **settings),
        serve(redis_url=redis_url, **settings),
    )


def test_the_rest_comes_from_another_instance_also_live(two: Two, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"gate": "2"}, {"text": "two "}, {"gate": "3"}, {"text": "three"}])
    one, other = two(resume_grace=30)
    with client() as who:
        begun = ask_until(one, '"one "', who)
        last = ids_in(begun)[-1]
        bedrock.open_gate("2")
        headers = {"last-event-id": last}
        with who.stream("GET", f"{other}/chat/{last.rpartition('-')[0]}", headers=headers) as response:
            rest = ""
            for piece in response.iter_text():
                rest += piece
                if '"two "' in rest:
                    bedrock.open_gate("3")
        assert text_in(begun + rest) == "one two three"
        assert numbers_in(begun + rest) == list(range(1, 8))
        assert rest.startswith("retry: 3000\nid: ")
        assert rest.endswith("\n\ndata: [DONE]\n\n")
        assert resume(other, ids_in(rest)[-1], who).status_code == 204
        assert numbers_in(resume(other, last, who).text) == [4, 5, 6, 7]
        assert resume(other, f"msg_{'0' * 32}-1", who).status_code == 404
    assert len(bedrock.journal.wait(1)) == 1


def test_a_reader_elsewhere_keeps_the_answer_going(two: Two, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"gate": "2"}, {"text": "two"}])
    one, other = two(resume_grace=1)
    with client() as who:
        last = ids_in(ask_until(one, '"one "', who))[-1]
        headers = {"last-event-id": last}
        with who.stream("GET", f"{other}/chat/{last.rpartition('-')[0]}", headers=headers) as response:
            time.sleep(3)
            bedrock.open_gate("2")
            assert text_in("".join(response.iter_text())) == "two"
    assert bedrock.journal.wait(1)[0].ended == "finished"


def test_and_when_it_leaves_too_grace_runs_out(two: Two, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"wait": "forever"}])
    one, other = two(resume_grace=1)
    with client() as who:
        last = ids_in(ask_until(one, '"one "', who))[-1]
        with who.stream("GET", f"{other}/chat/{last.rpartition('-')[0]}"):
            time.sleep(2)
        left_at = time.time()
        (exchange,) = bedrock.journal.wait(1)
    assert exchange.ended == "client left"
    assert exchange.ended_at is not None
    assert 0 < exchange.started_at + exchange.ended_at - left_at < 8


def test_it_can_be_stopped_from_another_instance(two: Two, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"wait": "forever"}])
    one, other = two(resume_grace=600)
    with client() as who:
        answer = ids_in(ask_until(one, '"one "', who))[-1].rpartition("-")[0]
        assert who.delete(f"{other}/chat/{answer}").status_code == 204
    assert bedrock.journal.wait(1)[0].ended == "client left"


def test_an_instance_that_dies_is_an_interruption_for_readers_elsewhere(
    redis_url: str, serve: Callable[..., str], bedrock: Session
) -> None:
    bedrock.play([{"text": "one "}, {"wait": "forever"}])
    other = serve(redis_url=redis_url, resume_grace=600)
    with started(CHAT_REDIS_URL=redis_url, CHAT_RESUME_GRACE="600") as (process, one), client() as who:
        begun = ask_until(one, '"one "', who)
        last = ids_in(begun)[-1]
        with who.stream("GET", f"{other}/chat/{last.rpartition('-')[0]}") as response:
            texts = response.iter_text()
            rest = next(texts)
            process.kill()
            rest += "".join(texts)
        again = resume(other, last, who).text
    assert rest.endswith("\n\ndata: [DONE]\n\n")
    assert rest.startswith(begun)
    assert numbers_in(rest) == [1, 2, 3, 4, 5]
    assert rest.index("content_block_stop") < rest.index('"code":"stream_interrupted"')
    assert rest.endswith(again.removeprefix("retry: 3000\n"))


def test_what_is_no_longer_kept_is_gone_elsewhere_too(two: Two, bedrock: Session) -> None:
    bedrock.play([{"text": "x " * 200, "split": "words"}])
    one, other = two(resume_events=100)
    with client() as who:
        whole = ids_in(ask_until(one, "[DONE]", who))
        deadline = time.monotonic() + 20
        while resume(other, whole[50], who).status_code == 200:  # the copy comes a moment later
            assert time.monotonic() < deadline
        assert resume(other, whole[50], who).status_code == 404
        assert ids_in(resume(other, whole[-50], who).text) == whole[-49:]


def test_a_redis_that_is_down_costs_resumption_elsewhere_and_nothing_else(bedrock: Session) -> None:
    pytest.importorskip("redis")
    bedrock.play("Hello")
    with started(CHAT_REDIS_URL="redis://127.0.0.1:1/0") as (_, url), client() as who:
        whole = ask_until(url, "[DONE]", who)
        assert text_in(whole) == "Hello"
        assert numbers_in(resume(url, ids_in(whole)[0], who).text) == [2, 3, 4, 5]
        unreachable = who.get(f"{url}/chat/msg_{'0' * 32}")
    assert unreachable.status_code == 503
    assert unreachable.json() == {"error": "answers of other instances cannot be reached at the moment"}


def test_an_address_that_is_none_is_told(bedrock: Session) -> None:  # noqa: ARG001 (for its environment)
    process = refused("--port", "0", CHAT_REDIS_URL="http://127.0.0.1")
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr == (
        "CHAT_REDIS_URL is 'http://127.0.0.1'; "
        "allowed is a URL that begins with redis://, rediss:// or unix://\n"
    )
