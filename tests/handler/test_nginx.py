"""The handler behind a real nginx, and behind the stand-in that buffers as nginx does."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx
import pytest
from converse_emulator import Session
from converse_hops import BufferingProxy

from tests.handler.nginx import nginx
from tests.handler.resuming import ASKED, ask_until, client, text_in

Serve = Callable[..., str]
IGNORING = "proxy_ignore_headers X-Accel-Buffering"
Front = Callable[[str], AbstractContextManager[str]]


@contextmanager
def stand_in(origin: str, *, ignore_accel: bool) -> Iterator[str]:
    with BufferingProxy(origin, ignore_accel=ignore_accel) as proxy:
        yield proxy.url


FRONTS: dict[str, tuple[Front, Front]] = {  # that looks at X-Accel-Buffering, and that does not
    "nginx": (nginx, lambda origin: nginx(origin, IGNORING)),
    "stand-in": (
        lambda origin: stand_in(origin, ignore_accel=False),
        lambda origin: stand_in(origin, ignore_accel=True),
    ),
}


class Reader:
    """Asks in a thread; what has arrived so far."""

    def __init__(self, url: str, **headers: str) -> None:
        self.text = ""
        self.headers = httpx.Headers()
        self.cut = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(url, headers))
        self._thread.start()

    def _read(self, url: str, headers: dict[str, str]) -> None:
        with client() as who:
            try:
                with who.stream("POST", f"{url}/chat", json=ASKED, headers=headers) as response:
                    self.headers = response.headers
                    for piece in response.iter_text():
                        with self._changed:
                            self.text += piece
                            self._changed.notify_all()
            except httpx.RemoteProtocolError:
                self.cut = True

    def sees(self, words: str, within: float = 20.0) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: words in self.text, within)

    def end(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()


GATED = [{"text": "one "}, {"gate": "2"}, {"text": "two "}, {"gate": "3"}, {"text": "three"}]


@pytest.mark.parametrize("front", FRONTS)
def test_the_handlers_header_keeps_a_proxy_that_buffers_from_it(
    serve: Serve, bedrock: Session, front: str
) -> None:
    """Each word is let go when the one before has been seen at the far end."""
    bedrock.play(GATED)
    looking, _ = FRONTS[front]
    with looking(serve()) as url:
        reader = Reader(url)
        assert reader.sees('"one "')
        bedrock.open_gate("2")
        assert reader.sees('"two "')
        bedrock.open_gate("3")
        assert reader.sees("[DONE]")
        reader.end()
    assert "x-accel-buffering" not in reader.headers
    assert reader.headers["content-type"] == "text/event-stream; charset=utf-8"


@pytest.mark.parametrize("front", FRONTS)
def test_told_not_to_look_it_holds_everything_to_the_end(serve: Serve, bedrock: Session, front: str) -> None:
    bedrock.play(GATED)
    _, ignoring = FRONTS[front]
    with ignoring(serve()) as url:
        reader = Reader(url)
        assert not reader.sees('"one "', within=1.5)
        bedrock.open_gate("2")
        assert not reader.sees('"one "', within=0.5)
        bedrock.open_gate("3")
        reader.end()
    assert text_in(reader.text) == "one two three"


def test_what_buffering_is_for_can_be_switched_off_for_all(serve: Serve, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"gate": "2"}, {"text": "two"}])
    with nginx(serve(), IGNORING, "proxy_buffering off") as url:
        reader = Reader(url)
        assert reader.sees('"one "')
        bedrock.open_gate("2")
        reader.end()
    assert text_in(reader.text) == "one two"


def test_compressed_it_still_comes_word_by_word(serve: Serve, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"gate": "2"}, {"text": "two"}])
    with nginx(serve(), "gzip on", "gzip_types text/event-stream", "gzip_min_length 1") as url:
        reader = Reader(url, **{"accept-encoding": "gzip"})
        assert reader.sees('"one "')
        assert reader.headers["content-encoding"] == "gzip"
        bedrock.open_gate("2")
        reader.end()
    assert text_in(reader.text) == "one two"


def test_heartbeats_carry_a_silence_over_the_idle_timeout(serve: Serve, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"wait": "3s"}, {"text": "two"}])
    with nginx(serve(heartbeat=0.25), "proxy_read_timeout 1s") as url:
        reader = Reader(url)
        reader.end()
    assert text_in(reader.text) == "one two"
    assert not reader.cut


def test_without_them_the_silence_is_the_end_and_it_shows(serve: Serve, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"wait": "forever"}])
    with nginx(serve(), "proxy_read_timeout 1s") as url:
        reader = Reader(url)
        reader.end()
    assert text_in(reader.text) == "one "
    assert reader.cut


def test_a_browser_that_leaves_stops_bedrock_through_it(serve: Serve, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"wait": "forever"}])
    with nginx(serve()) as url, client() as who:
        ask_until(url, '"one "', who)
        left_at = time.time()
        (exchange,) = bedrock.journal.wait(1)
    assert exchange.ended == "client left"
    assert exchange.ended_at is not None
    assert exchange.started_at + exchange.ended_at - left_at < 1.0
